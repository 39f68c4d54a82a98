/** Something the caller did wrong, or asked for in vain: it becomes a JSON answer with this status. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function json(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

/** The request's JSON object, no larger than `limit` bytes. */
export async function readObject(request: Request, limit = 256 * 1024): Promise<Record<string, unknown>> {
  const text = await request.text();
  if (text.length > limit) throw new Problem(413, `the body is larger than ${limit} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(400, "the body must be a JSON object");
  }
  return value as Record<string, unknown>;
}

/** A non-empty string field, trimmed, at most `limit` characters. */
export function readText(body: Record<string, unknown>, field: string, limit: number): string {
  const value = body[field];
  if (typeof value !== "string" || value.trim() === "") throw new Problem(400, `"${field}" must be a non-empty string`);
  if (value.length > limit) throw new Problem(400, `"${field}" is longer than ${limit} characters`);
  return value.trim();
}

/** One server-sent event. */
export function event(name: string, data: unknown): Uint8Array {
  return new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
