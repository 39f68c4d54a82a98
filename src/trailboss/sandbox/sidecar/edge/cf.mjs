// What Cloudflare's edge knows about a request: `request.cf` and the CF-* headers.
import { randomBytes } from "node:crypto";

export const COLO = "DFW";

const PLACE = {
  colo: COLO,
  country: "US",
  isEUCountry: undefined,
  continent: "NA",
  city: "Austin",
  region: "Texas",
  regionCode: "TX",
  metroCode: "635",
  postalCode: "78701",
  latitude: "30.27130",
  longitude: "-97.74260",
  timezone: "America/Chicago",
  asn: 395747,
  asOrganization: "Trailboss Sandbox",
  tlsVersion: "TLSv1.3",
  tlsCipher: "AEAD-AES128-GCM-SHA256",
  tlsClientHelloLength: "508",
  tlsClientRandom: "c2FuZGJveHNhbmRib3hzYW5kYm94c2FuZGJveHM9PQ==",
  tlsClientCiphersSha1: "JZtiTn8H/ntxORk+XXvU2EvNoz8=",
  tlsClientExtensionsSha1: "Y7DIC8A6G0/aXviZ8ie/xDbJb7g=",
  tlsExportedAuthenticator: undefined,
  tlsClientAuth: {
    certPresented: "0",
    certVerified: "NONE",
    certRevoked: "0",
    certIssuerDN: "",
    certSubjectDN: "",
    certIssuerDNRFC2253: "",
    certSubjectDNRFC2253: "",
    certIssuerDNLegacy: "",
    certSubjectDNLegacy: "",
    certSerial: "",
    certIssuerSerial: "",
    certSKI: "",
    certIssuerSKI: "",
    certFingerprintSHA1: "",
    certFingerprintSHA256: "",
    certNotBefore: "",
    certNotAfter: "",
  },
  httpProtocol: "HTTP/1.1",
  clientTcpRtt: 1,
  requestPriority: "",
  edgeRequestKeepAliveStatus: 1,
  verifiedBotCategory: "",
};
const START = JSON.stringify(PLACE).slice(0, -1);

/** The JSON of `request.cf`. `asked` is the X-Trailboss-CF header: a JSON object laid over it, to test another place. */
export function blob(acceptEncoding, asked) {
  const encoding = acceptEncoding === undefined ? '""' : JSON.stringify(acceptEncoding);
  if (asked === undefined) return `${START},"clientAcceptEncoding":${encoding}}`;
  try {
    return JSON.stringify({ ...PLACE, clientAcceptEncoding: acceptEncoding ?? "", ...JSON.parse(asked) });
  } catch {
    return blob(acceptEncoding, undefined);
  }
}

export function country(asked) {
  if (asked === undefined) return PLACE.country;
  try {
    return JSON.parse(asked).country ?? PLACE.country;
  } catch {
    return PLACE.country;
  }
}

let pool = Buffer.alloc(0);
let used = 0;

/** A fresh ray id: 16 hex digits. */
export function ray() {
  if (used >= pool.length) {
    pool = randomBytes(4096);
    used = 0;
  }
  used += 8;
  return pool.toString("hex", used - 8, used);
}
