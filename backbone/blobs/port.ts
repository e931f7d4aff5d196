/** Blobs port: bytes by their SHA-256. Writing the same bytes twice changes nothing; a read verifies the hash. */
export interface Blobs {
  /** Durable when it resolves. Returns the SHA-256 in hex. */
  put(bytes: Uint8Array): Promise<string>;
  /** Null when unknown; throws when the stored bytes no longer match their name. */
  get(sha256: string): Promise<Buffer | null>;
  has(sha256: string): Promise<boolean>;
  delete(sha256: string): Promise<void>;
  close(): Promise<void>;
}
