/**
 * Seals what a dead letter of a sensitive type would show: the key, the value and the fingerprint of its record, all that is made of the
 * data. What stays to be seen is where it came from and why it is there, to which the seal is bound (AES-256-GCM's additional data), so that
 * a sealed value cannot be put under another letter.
 *
 * In bytes: version 1, a random nonce of 12, the ciphertext, a tag of 16. In the ciphertext: key, value and fingerprint, each behind its
 * length (int32, −1 for null).
 * @see NIST SP 800-38D
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SealedValue } from '@millrace/core/dead-letter'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, parsedJson } from '@millrace/core/json'

/** To what a seal is bound. */
export type SealContext = {
  readonly topic: string
  readonly source: string
  readonly id: string
  readonly reason: string
}

/** What of a record is made of its data. */
export type Hidden = {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly fingerprint: string | null
}

export type Sealing = {
  readonly seal: (hidden: Hidden, context: SealContext) => SealedValue<Buffer>
  /** @throws MillraceError 'dead-letter.sealed' for a key that is not here, or anything that is not as it was sealed */
  readonly open: (keyId: string, sealed: Buffer, context: SealContext) => Hidden
}

const cipherName = 'aes-256-gcm'
const version = 1
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const lengthBytes = 4
const keyIdForm = /^[A-Za-z0-9._-]{1,64}$/

/** `{"current": "k2", "keys": {"k1": "<32 bytes in Base64>", "k2": …}}`: what is sealed from now on has the current key; the others still open. */
type SealingKeys = { readonly current: string; readonly keys: ReadonlyMap<string, Buffer> }

/**
 * Seals and opens with the keys of a file.
 * @param text the content of the file
 * @param file its name, for the error
 * @throws MillraceError 'config.invalid'
 */
export function createSealing(text: string, file: string): Sealing {
  const { current, keys } = parseKeys(text, file)
  const keyOf = (id: string): Buffer => {
    const key = keys.get(id)
    if (key) return key
    throw unopened(`it is sealed with the key "${id}", which is not among the sealing keys: put it back there`)
  }
  return {
    seal: (hidden, context) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(cipherName, keyOf(current), nonce).setAAD(boundTo(context))
      const sealed = [cipher.update(packed(hidden)), cipher.final(), cipher.getAuthTag()]
      return { keyId: current, value: Buffer.concat([Buffer.of(version), nonce, ...sealed]) }
    },
    open: (keyId, sealed, context) => {
      const key = keyOf(keyId)
      const plain = decrypted(key, sealed, context)
      if (!plain) throw unopened(`it does not open with the key "${keyId}": it was changed, or the key is another`)
      return unpacked(plain)
    },
  }
}

function decrypted(key: Buffer, sealed: Buffer, context: SealContext): Buffer | undefined {
  const tagAt = sealed.length - tagBytes
  if (sealed[0] !== version || tagAt < 1 + nonceBytes) return undefined
  const decipher = createDecipheriv(cipherName, key, sealed.subarray(1, 1 + nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(boundTo(context)).setAuthTag(sealed.subarray(tagAt))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, tagAt)), decipher.final()])
  } catch {
    return undefined
  }
}

/** Each behind its length, so that no two contexts are the same bytes. */
function boundTo({ topic, source, id, reason }: SealContext): Buffer {
  return Buffer.concat([topic, source, id, reason].map((text) => withLength(Buffer.from(text))))
}

function packed({ key, value, fingerprint }: Hidden): Buffer {
  return Buffer.concat([key, value, fingerprint === null ? null : Buffer.from(fingerprint)].map(withLength))
}

function withLength(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeInt32BE(bytes?.length ?? -1)
  return bytes ? Buffer.concat([length, bytes]) : length
}

function unpacked(plain: Buffer): Hidden {
  let at = 0
  const next = (): Buffer | null => {
    const length = plain.readInt32BE(at)
    at += lengthBytes
    if (length < 0) return null
    at += length
    return plain.subarray(at - length, at)
  }
  const [key, value, fingerprint] = [next(), next(), next()]
  return { key, value, fingerprint: fingerprint?.toString() ?? null }
}

function parseKeys(text: string, file: string): SealingKeys {
  const parsed = parsedJson(text)
  const { current, keys } = isJsonObject(parsed) ? parsed : {}
  if (typeof current !== 'string' || !isJsonObject(keys) || !Object.hasOwn(keys, current)) {
    throw invalid(
      file,
      'it must be {"current": "<id>", "keys": {"<id>": "<32 bytes in Base64>"}}, the current one among the keys',
    )
  }
  const entries = Object.entries(keys).map(([id, key]): [string, Buffer] => {
    const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : Buffer.alloc(0)
    if (!keyIdForm.test(id)) throw invalid(file, 'the id of a key is up to 64 letters, digits, ".", "_" and "-"')
    if (bytes.length !== keyBytes) throw invalid(file, `the key "${id}" must be ${keyBytes} bytes in Base64`)
    return [id, bytes]
  })
  return { current, keys: new Map(entries) }
}

function invalid(file: string, what: string): MillraceError {
  return new MillraceError('config.invalid', `the sealing keys in ${file} cannot be used: ${what}`)
}

function unopened(why: string): MillraceError {
  return new MillraceError('dead-letter.sealed', `the dead letter cannot be opened: ${why}`)
}
