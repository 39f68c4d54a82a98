// What the edge itself answers when no Worker does.

const MISSES = {
  disabled: [404, 1042, "This Worker has no workers.dev address: its route there is disabled."],
  "previews-disabled": [404, 1042, "Preview URLs are disabled for this Worker."],
  "no-script": [404, 1042, "There is nothing here yet: no Worker of that name is deployed in this sandbox."],
  "no-preview": [404, 1042, "No version of this Worker matches this preview address."],
  "no-deployment": [404, 1042, "This Worker exists, but no version of it is deployed."],
  "no-worker": [523, 523, "No Worker answers this address, and the sandbox has no origin server behind it."],
  "unknown-host": [404, 1001, "This sandbox knows no such host name."],
  "foreign-host": [421, 1001, "This sandbox serves local and known host names only."],
  "no-tunnel": [530, 1033, "This host name leads to a tunnel that is not connected: it is down, deleted, or has no rules."],
  origin: [502, 502, "Unable to reach the origin service. The service may be down or it may not be responding to the tunnel."],
  forbidden: [403, 403, "Forbidden. You do not have permission to view this: Access in front of this host name refused you."],
  unauthorized: [401, 401, "Access in front of this host name asks for a service token."],
  "no-login": [501, 501, "The sandbox emulates no identity logins; use a service token, or a token from its control plane."],
  loop: [500, 1019, "This Worker fetches itself, directly or through others, without end."],
  threw: [500, 1101, "The Worker threw an exception."],
  gone: [502, 502, "The connection to the Workers runtime was lost while this request was running."],
  stopped: [503, 1105, "The Workers runtime could not be started."],
};

const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Answer `res` with the edge's own page for `reason`; HTML, JSON or text as the client prefers. */
export function miss(req, res, reason, detail = "", ray = "") {
  const [status, code, message] = MISSES[reason];
  const accept = req.headers.accept ?? "";
  const [type, body] = render(accept, { status, code, message, reason, detail, ray });
  const headers = { "content-type": type, "content-length": Buffer.byteLength(body), "cache-control": "no-store", server: "cloudflare" };
  if (ray) headers["cf-ray"] = ray;
  res.writeHead(status, headers);
  res.end(req.method === "HEAD" ? undefined : body);
}

function render(accept, { code, message, reason, detail, ray }) {
  if (accept.includes("application/json")) {
    return ["application/json", JSON.stringify({ error: { code, reason, message, detail: detail || undefined, ray } })];
  }
  if (!accept.includes("text/html")) {
    return ["text/plain; charset=UTF-8", `error code: ${code}\n${message}${detail ? ` (${detail})` : ""}\n`];
  }
  const more = detail ? `<p><code>${escape(detail)}</code></p>` : "";
  return [
    "text/html; charset=UTF-8",
    `<!DOCTYPE html><html lang="en"><head><title>Error ${code}</title></head>` +
      `<body><h1>Error ${code}</h1><p>${escape(message)}</p>${more}<p>Ray ID: ${ray}</p></body></html>`,
  ];
}
