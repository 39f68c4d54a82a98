// Errors that carry what the caller should be told; everything else is a bug and becomes a 500.
export class Refused extends Error {
  constructor(status, message, detail = {}) {
    super(message);
    this.status = status;
    this.detail = detail;
  }
}

export function log(message) {
  process.stderr.write(`[sidecar] ${message}\n`);
}
