#!/bin/sh
# What a visitor must find, wherever it runs: `trailboss dev --test`, `trailboss test e2e --env testing`.
set -eu

status() { curl --silent --show-error --max-time 20 --output /dev/null --write-out '%{http_code}' "$BASE_URL$1"; }
expect() { [ "$2" = "$3" ] || { echo "$1: $2 instead of $3"; exit 1; }; echo "$1: $2"; }

curl --silent --show-error --fail --max-time 20 "$BASE_URL/" | grep -q '<title>'
expect 'the page' "$(status /)" 200
expect 'its style' "$(status /style.css)" 200
expect 'nothing there' "$(status /nothing-there)" 404
expect 'a question without words' "$(curl --silent --max-time 20 --output /dev/null --write-out '%{http_code}' \
  --header 'content-type: application/json' --data '{}' "$BASE_URL/chat")" 400
