// Access's own tokens: RS256 JWTs as origins verify them with the team's `/cdn-cgi/access/certs`.
import { createHash, generateKeyPair, sign, verify } from "node:crypto";
import { promisify } from "node:util";

const HEADER_ALG = "RS256";
const EARLY_SECONDS = 60;
const REMEMBERED = 256;

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);

export class Signer {
  #keys;
  #public;
  #issued = new Map();

  /** Another `generation` is another key: `POST /access/keys/rotate` ends what the last one signed. */
  constructor(generation) {
    this.generation = generation;
  }

  #ready() {
    this.#keys ??= promisify(generateKeyPair)("rsa", { modulusLength: 2048 }).then(({ publicKey, privateKey }) => {
      const jwk = publicKey.export({ format: "jwk" });
      const kid = createHash("sha256").update(JSON.stringify(jwk)).digest("hex");
      this.#public = publicKey;
      return { publicKey, privateKey, kid, jwk: { kid, kty: jwk.kty, alg: HEADER_ALG, use: "sig", e: jwk.e, n: jwk.n } };
    });
    return this.#keys;
  }

  /** A token of `app` with these claims; one that is still good for a while is given again. */
  async sign(team, app, claims) {
    const key = JSON.stringify([app.aud, app.nonce, claims]);
    const issued = this.#issued.get(key);
    if (issued !== undefined && issued.until - EARLY_SECONDS > now()) return issued.jwt;
    const { privateKey, kid } = await this.#ready();
    const [from, until] = [now(), now() + Math.max(1, Math.floor(app.seconds))];
    const payload = { aud: [app.aud], exp: until, iat: from, nbf: from, iss: `https://${team}`, type: "app", identity_nonce: app.nonce, ...claims };
    const text = `${encoded({ alg: HEADER_ALG, kid, typ: "JWT" })}.${encoded(payload)}`;
    const jwt = `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
    this.#issued.set(key, { jwt, until });
    if (this.#issued.size > REMEMBERED) this.#issued.delete(this.#issued.keys().next().value);
    return jwt;
  }

  /** The claims of a token of ours for `app` that is good now and was not revoked; else undefined. */
  verify(jwt, app) {
    const [head, body, signature] = (jwt ?? "").split(".");
    if (signature === undefined || this.#public === undefined) return undefined;
    if (!verify("sha256", Buffer.from(`${head}.${body}`), this.#public, Buffer.from(signature, "base64url"))) return undefined;
    const claims = JSON.parse(Buffer.from(body, "base64url"));
    const good = claims.aud.includes(app.aud) && claims.exp > now() && claims.identity_nonce === app.nonce;
    return good ? claims : undefined;
  }

  /** The keys in the form of `/cdn-cgi/access/certs`. */
  async certs() {
    const { jwk, publicKey, kid } = await this.#ready();
    const cert = publicKey.export({ format: "pem", type: "spki" });
    return { keys: [jwk], public_cert: { kid, cert }, public_certs: [{ kid, cert }] };
  }
}
