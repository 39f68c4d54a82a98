// Where one SQL statement ends and the next begins: D1 answers one result per statement.

const WORD = /[A-Za-z_]/;

/** The statements of `sql`, without their semicolons; text inside quotes, comments and trigger bodies is left whole. */
export function split(sql) {
  const statements = [];
  let start = 0;
  let at = 0;
  let depth = 0;
  let words = [];
  const push = (end) => {
    const text = sql.slice(start, end).trim();
    if (text !== "" && !onlyComments(text)) statements.push(text);
    words = [];
    depth = 0;
  };
  while (at < sql.length) {
    const next = skip(sql, at);
    if (next > at) {
      at = next;
      continue;
    }
    if (WORD.test(sql[at])) {
      const word = /^[A-Za-z_0-9]+/.exec(sql.slice(at))[0];
      at += word.length;
      words.push(word.toUpperCase());
      depth += change(words);
      continue;
    }
    if (sql[at] === ";" && depth === 0) {
      push(at);
      start = at + 1;
    }
    at += 1;
  }
  push(sql.length);
  return statements;
}

// Inside CREATE TRIGGER ... BEGIN ... END semicolons belong to the body; CASE ... END may stand in it.
function change(words) {
  const trigger = words[0] === "CREATE" && words.slice(1, 4).includes("TRIGGER");
  const word = words.at(-1);
  if (!trigger) return 0;
  if (word === "BEGIN" || word === "CASE") return 1;
  return word === "END" ? -1 : 0;
}

// The end of the quoted text or comment that starts at `at`, else `at`.
function skip(sql, at) {
  const sign = sql[at];
  if (sign === "-" && sql[at + 1] === "-") return until(sql, "\n", at + 2);
  if (sign === "/" && sql[at + 1] === "*") return until(sql, "*/", at + 2);
  if (sign === "[") return until(sql, "]", at + 1);
  if (sign !== "'" && sign !== '"' && sign !== "`") return at;
  for (let end = at + 1; end < sql.length; end += 1) {
    if (sql[end] !== sign) continue;
    if (sql[end + 1] === sign) end += 1;
    else return end + 1;
  }
  return sql.length;
}

function until(sql, mark, from) {
  const end = sql.indexOf(mark, from);
  return end < 0 ? sql.length : end + mark.length;
}

function onlyComments(text) {
  return text.replace(/--[^\n]*/g, "").replace(/\/\*[\s\S]*?\*\//g, "").trim() === "";
}
