import { createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'

/** The longest chunk that the SDK writes by default is 128 MiB. */
const chunkBytesMax = 192 * 1_024 * 1_024
/** Blobs that no request ever named (their writer died) are removed at the next start after this time. */
const orphanAgeMs = 3_600_000

export type ChunkLocation = {
  readonly blobPath: string
  readonly startOffset: number
  readonly length: number
  readonly md5: string
}

/** Where the streaming SDK leaves its blobs, and where their chunks lie decrypted while they are read. */
export type BlobStore = {
  /** What clients are told: a folder of this machine. */
  readonly location: string
  /** The Parquet file of a chunk, or why there is none. Whoever gets a file removes it. */
  decrypt(chunk: ChunkLocation, encryptionKey: Buffer): Promise<DecryptedChunk>
  remove(path: string): Promise<void>
  removeBlob(blobPath: string): Promise<void>
}

export type DecryptedChunk =
  | { readonly ok: true; readonly parquetFile: string }
  | { readonly ok: false; readonly fault: 'path' | 'length' | 'md5' }

export async function openBlobStore(dataDir: string): Promise<BlobStore> {
  const location = resolve(dataDir, 'stage', 'streaming')
  const temporary = resolve(dataDir, 'chunks')
  await rm(temporary, { recursive: true, force: true })
  for (const folder of [location, temporary]) await mkdir(folder, { recursive: true, mode: 0o700 })
  await removeOrphans(location)
  const fileOf = (blobPath: string) => {
    const file = resolve(location, blobPath)
    return file.startsWith(location + sep) ? file : undefined
  }
  return {
    location,
    decrypt: async (chunk, encryptionKey) => {
      const file = fileOf(chunk.blobPath)
      if (file === undefined) return { ok: false, fault: 'path' }
      const encrypted = await readRange(file, chunk.startOffset, chunk.length)
      if (!encrypted || chunk.startOffset % 16 !== 0) return { ok: false, fault: 'length' }
      if (createHash('md5').update(encrypted).digest('hex') !== chunk.md5) return { ok: false, fault: 'md5' }
      const parquetFile = join(temporary, `${randomBytes(12).toString('hex')}.parquet`)
      await writeFile(parquetFile, decrypted(encrypted, chunk, encryptionKey), { mode: 0o600 })
      return { ok: true, parquetFile }
    },
    remove: (path) => rm(path, { force: true }),
    removeBlob: async (blobPath) => {
      const file = fileOf(blobPath)
      if (file !== undefined) await rm(file, { force: true })
    },
  }
}

/** AES-256-CTR; the key is of the blob (its path goes into it), the counter starts at the chunk's place in the blob. */
function decrypted(encrypted: Buffer, { blobPath, startOffset }: ChunkLocation, encryptionKey: Buffer): Buffer {
  const key = createHash('sha256').update(encryptionKey).update(blobPath).digest()
  const counter = Buffer.alloc(16)
  counter.writeBigUInt64BE(BigInt(startOffset / 16), 8)
  const decipher = createDecipheriv('aes-256-ctr', key, counter)
  return Buffer.concat([decipher.update(encrypted), decipher.final()])
}

async function readRange(file: string, start: number, length: number): Promise<Buffer | undefined> {
  if (length <= 0 || length > chunkBytesMax) return undefined
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return undefined
  try {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await handle.read(bytes, 0, length, start)
    return bytesRead === length ? bytes : undefined
  } finally {
    await handle.close()
  }
}

async function removeOrphans(location: string): Promise<void> {
  const entries = await readdir(location, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const file = join(entry.parentPath, entry.name)
    if (Date.now() - (await stat(file)).mtimeMs > orphanAgeMs) await rm(file, { force: true })
  }
}
