/** The local token issuer gets another key, as any issuer does from time to time. */
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { newIssuerKey, type Secrets, writeSecret } from './secrets.ts'

type Files = Pick<Secrets, 'issuerKeyFile' | 'jwksFile'>

const keySetShape = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) })

/** A rotation under way: the new key is public, and the old one still signs. */
export type Rotation = {
  /** From now on the new key signs; tokens of the old one are still good. */
  readonly use: () => Promise<void>
  /** The old key is public no more: its tokens end. */
  readonly retire: () => Promise<void>
}

/** Makes a new key and publishes it beside those that there are, before anything is signed with it: gateways need a moment to read it. */
export async function beginRotation({ issuerKeyFile, jwksFile }: Files): Promise<Rotation> {
  const { keys } = keySetShape.parse(JSON.parse(await readFile(jwksFile, 'utf8')))
  const { privateKey, publicKey } = newIssuerKey()
  await writeSecret(jwksFile, JSON.stringify({ keys: [...keys, publicKey] }))
  return {
    use: () => writeSecret(issuerKeyFile, JSON.stringify(privateKey)),
    retire: () => writeSecret(jwksFile, JSON.stringify({ keys: [publicKey] })),
  }
}
