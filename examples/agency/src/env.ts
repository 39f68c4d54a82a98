export interface Env {
  AI: Ai;
  ASSETS: Fetcher;
  CACHE: KVNamespace;
  CONTENT: R2Bucket;
  JOBS: Queue<Job>;
  KNOWLEDGE: Vectorize;
  SESSIONS: D1Database;
  VERSION: WorkerVersionMetadata;
  CHAT_MODEL: string;
  SESSION_DAYS: string;
}

/** What waits on the queue; `input` is in the jobs table, so that a message stays small. */
export interface Job {
  id: string;
  kind: JobKind;
}

export const JOB_KINDS = ["summary", "article"] as const;
export type JobKind = (typeof JOB_KINDS)[number];
