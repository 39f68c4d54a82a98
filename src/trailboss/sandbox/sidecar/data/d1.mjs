// /data/d1: the databases the Workers' bindings query, over the protocol those bindings speak.
import { readJson, sendJson } from "../control/server.mjs";
import { Refused } from "../errors.mjs";
import { split } from "./sql.mjs";
import { Store, segments } from "./store.mjs";

const EXPORT = "PRAGMA miniflare_d1_export(?,?,?);";

export class D1 {
  #store;

  constructor(runtime) {
    this.#store = new Store(runtime, "d1");
  }

  async #run(id, statements, format) {
    const { body } = await this.#store.send(id, {
      path: `/query?resultsFormat=${format}`,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(statements),
    });
    const text = await body.text();
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      throw new Refused(400, text.slice(0, 500) || "the database gave no answer");
    }
    if (!Array.isArray(answer) && answer.success === false) throw new Refused(400, answer.error);
    return answer;
  }

  /** One result per statement; a text of several statements (only possible without parameters) gives several. */
  async query(id, { statements = [], raw = false, transaction = true }) {
    const all = statements.flatMap(({ sql, params }) => {
      if (params?.length > 0) return [{ sql, params: params.map(value) }];
      return split(sql ?? "").map((one) => ({ sql: one, params: [] }));
    });
    if (all.length === 0) throw new Refused(400, "No SQL statements detected.");
    const format = raw ? "ROWS_AND_COLUMNS" : "ARRAY_OF_OBJECTS";
    const results = [];
    if (transaction) results.push(...(await this.#run(id, all, format)));
    else for (const statement of all) results.push(...(await this.#run(id, [statement], format)));
    return results.map(({ results: rows, meta, success }) => ({ results: rows, meta, success }));
  }

  /** The database as SQL text, as `wrangler d1 export` writes it. */
  async dump(id, { tables = [], no_schema: noSchema = false, no_data: noData = false }) {
    const params = [noSchema ? 1 : 0, noData ? 1 : 0, ...tables];
    const { results } = await this.#run(id, [{ sql: EXPORT, params }], "ARRAY_OF_OBJECTS");
    return `${results[0].join("\n")}\n`;
  }

  async handle({ req, res, rest }) {
    const [id, part] = segments(rest, 2);
    if (req.method !== "POST") throw new Refused(405, "D1 is asked with POST");
    const input = await readJson(req);
    if (part === "query") return sendJson(res, 200, await this.query(id, input));
    if (part !== "dump") throw new Refused(404, `no such D1 path: ${rest}`);
    const text = Buffer.from(await this.dump(id, input));
    res.writeHead(200, { "content-type": "application/sql", "content-length": text.length });
    return res.end(text);
  }
}

function value(param) {
  if (typeof param === "boolean") return param ? 1 : 0;
  return param ?? null;
}
