// Cloudflare Access before a host name: who may pass, and what the others are told.
import { createHash, timingSafeEqual } from "node:crypto";
import { COLO, country } from "./cf.mjs";
import { satisfied } from "./access-rules.mjs";
import { Signer } from "./access-tokens.mjs";
import { clientAddress, pathOf, targetOf } from "./headers.mjs";
import { miss } from "./pages.mjs";
import { stripPort } from "./routes.mjs";

const OWN = "/cdn-cgi/access/";
const COOKIE = /(?:^|;\s*)CF_Authorization=([^;]+)/;
const HIDDEN = ["cf-access-client-id", "cf-access-client-secret", "cf-access-token", "cf-access-jwt-assertion", "cf-access-authenticated-user-email"];

/** The name as the account knows it, however a client on this machine spells it. */
export function publicName(hostHeader) {
  const host = stripPort(hostHeader);
  return host.replace(/\.(workers|pages)\.localhost$/, ".$1.dev").replace(/\.localhost$/, "");
}

const literal = (text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");

class Place {
  constructor(app, { host, path }) {
    this.app = app;
    this.exact = !host.includes("*");
    this.length = path.length;
    this.host = new RegExp(`^${literal(host).replaceAll("*", ".*")}$`);
    this.path = path === "" ? undefined : new RegExp(`^/${literal(path).replaceAll("*", ".*")}(?:/|$)`);
  }

  covers(host, path) {
    return this.host.test(host) && (this.path === undefined || this.path.test(path));
  }
}

// An exact name before one with a wildcard, then the longer path: the closest application decides alone.
const closest = (a, b) => b.exact - a.exact || b.length - a.length;

/** Which kinds of destinations that are Workers come first: one before all, a preview's own before those of any version. */
const RANK = ({ script, preview }) => (script === "*" ? 2 : 0) + (preview ? 0 : 1);

export class Access {
  #places = [];
  #workers = [];
  #tokens = new Map();

  /** `table` is Python's; `ask(path, body)` asks Python; `before` is what this takes the place of. */
  constructor(table = {}, ask, before) {
    this.team = table.team;
    this.ask = ask;
    const generation = table.generation ?? before?.signer.generation ?? "";
    this.signer = before?.signer.generation === generation ? before.signer : new Signer(generation);
    for (const app of table.applications ?? []) {
      app.first = app.policies.filter(({ decision }) => decision === "bypass" || decision === "non_identity");
      app.then = app.policies.filter(({ decision }) => decision === "allow" || decision === "deny");
      for (const place of app.places) this.#places.push(new Place(app, place));
      for (const worker of app.workers) this.#workers.push({ ...worker, app });
    }
    this.#places.sort(closest);
    this.#workers.sort((a, b) => RANK(a) - RANK(b));
    for (const token of table.tokens ?? []) this.#tokens.set(token.client_id, token);
  }

  get empty() {
    return this.#places.length === 0 && this.#workers.length === 0;
  }

  /** The application of that id, audience or domain. */
  application(wanted) {
    return [...this.#places, ...this.#workers].map(({ app }) => app).find((app) => [app.id, app.aud, app.domain].includes(wanted));
  }

  /**
   * Whether a request ends here; what Access adds to one that may pass is in `req.access`. `respond()` gives the response to
   * write the refusal to; `found` says which Worker it is for. A promise when a token has to be signed first.
   */
  stop(req, respond, found, ray, urlScheme) {
    const host = publicName(req.headers.host ?? "");
    const path = pathOf(req.url);
    const app = (this.#places.find((place) => place.covers(host, path)) ?? this.#before(found))?.app;
    if (path.startsWith(OWN) && (app !== undefined || host === this.team)) return this.#own(req, respond(), app, path.slice(OWN.length), ray);
    if (host === this.team) return this.#refuse(req, respond(), "no-login", "", ray);
    return app === undefined ? false : this.#judge(req, respond, app, host, ray, urlScheme);
  }

  // A destination of previews is about those only; one of a Worker is about its previews too.
  #before({ script, preview = false }) {
    if (script === undefined) return undefined;
    return this.#workers.find((entry) => (entry.script === "*" || entry.script === script) && (preview || !entry.preview));
  }

  #judge(req, respond, app, host, ray, urlScheme) {
    const preflight = req.method === "OPTIONS" && req.headers["access-control-request-method"] !== undefined;
    if (app.preflight && preflight) return false;
    const who = this.#who(req, app);
    req.access = { hidden: new Set([...HIDDEN, app.header]) };
    for (const policy of app.first) {
      if (!satisfied(policy, who)) continue;
      return policy.decision === "bypass" ? false : this.#admit(req, app, who, urlScheme);
    }
    if (who.email !== undefined) {
      const policy = app.then.find((entry) => satisfied(entry, who));
      if (policy?.decision === "allow") return this.#admit(req, app, who, urlScheme);
      return this.#refuse(req, respond(), "forbidden", app.name, ray);
    }
    if (who.wrong) return this.#refuse(req, respond(), "forbidden", "the service token is not valid", ray);
    const services = app.first.some(({ decision }) => decision === "non_identity");
    if (app.unauthorized && services) return this.#refuse(req, respond(), "unauthorized", "", ray);
    return this.#redirect(req, respond(), app, host, ray);
  }

  #who(req, app) {
    const { headers } = req;
    const who = { ip: clientAddress(req), country: country(headers["x-trailboss-cf"]) };
    const shown = shownToken(headers, app.header);
    if (shown !== undefined) {
      who.token = this.#valid(shown);
      who.wrong = who.token === undefined;
      return who;
    }
    const session = headers["cf-access-token"] ?? COOKIE.exec(headers.cookie ?? "")?.[1];
    const claims = session === undefined ? undefined : this.signer.verify(session, app);
    if (claims?.email) who.email = claims.email;
    else if (claims !== undefined) who.token = this.#tokens.get(claims.common_name);
    who.session = claims === undefined ? undefined : session;
    return who;
  }

  #valid({ id, secret }) {
    const token = this.#tokens.get(id);
    const digest = createHash("sha256").update(secret ?? "").digest();
    const good = token?.secrets.some((known) => timingSafeEqual(Buffer.from(known, "hex"), digest));
    return good ? token : undefined;
  }

  async #admit(req, app, who, urlScheme) {
    const jwt = who.session ?? (await this.signer.sign(this.team, app, { common_name: who.token?.client_id ?? "", sub: "" }));
    req.access.add = ["Cf-Access-Jwt-Assertion", jwt];
    if (who.email !== undefined) req.access.add.push("Cf-Access-Authenticated-User-Email", who.email);
    if (who.session === undefined) req.access.cookie = `CF_Authorization=${jwt}; Path=/; HttpOnly${urlScheme === "https" ? "; Secure; SameSite=None" : ""}`;
    return false;
  }

  #refuse(req, res, reason, detail, ray) {
    miss(req, res, reason, detail, `${ray}-${COLO}`);
    return true;
  }

  #redirect(req, res, app, host, ray) {
    const asked = new URLSearchParams({ kid: app.aud, redirect_url: targetOf(req.url) });
    res.writeHead(302, {
      location: `https://${this.team}/cdn-cgi/access/login/${host}?${asked}`,
      "cf-access-aud": app.aud,
      "cf-access-domain": app.domain,
      "www-authenticate": `Cloudflare-Access resource_metadata="https://${host}/.well-known/oauth-protected-resource"`,
      "cache-control": "private, max-age=0, no-store",
      "content-length": 0,
      server: "cloudflare",
      "cf-ray": `${ray}-${COLO}`,
    });
    res.end();
    return true;
  }

  // What every guarded host name answers itself, and the team's domain with it.
  async #own(req, res, app, name, ray) {
    if (name === "certs") return json(res, 200, await this.signer.certs());
    if (name === "logout") return json(res, 200, {}, { "set-cookie": "CF_Authorization=; Path=/; Max-Age=0" });
    const claims = app === undefined ? undefined : this.signer.verify(req.headers["cf-access-token"] ?? COOKIE.exec(req.headers.cookie ?? "")?.[1], app);
    if (name === "get-identity") return claims === undefined ? json(res, 400, { err: "no app token set" }) : json(res, 200, claims);
    if (name === "cert_sign" && req.method === "POST" && app !== undefined) return this.#sign(req, res, app);
    return this.#refuse(req, res, "no-login", "", ray);
  }

  // `cloudflared access ssh-gen`: a short-lived certificate for whom the token names.
  async #sign(req, res, app) {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const { public_key: key, jwt } = parsed(Buffer.concat(chunks));
    const email = this.signer.verify(jwt, app)?.email;
    if (key === undefined || email === undefined) return json(res, 401, { status: 401, message: "the token is not valid for this application" });
    const answer = await this.ask("/access/sign", { application: app.id, email, public_key: key });
    return answer.certificate === undefined ? json(res, 400, { status: 400, message: answer.error }) : json(res, 200, answer);
  }
}

/** The service token a request shows, in its two headers or in the one the application reads. */
function shownToken(headers, header) {
  const [id, secret] = [headers["cf-access-client-id"], headers["cf-access-client-secret"]];
  if (id !== undefined || secret !== undefined) return { id, secret };
  const both = header && headers[header] !== undefined ? parsed(headers[header]) : {};
  return both["cf-access-client-id"] === undefined ? undefined : { id: both["cf-access-client-id"], secret: both["cf-access-client-secret"] };
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function json(res, status, value, headers = {}) {
  const body = JSON.stringify(value);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body), server: "cloudflare", ...headers });
  res.end(body);
  return true;
}
