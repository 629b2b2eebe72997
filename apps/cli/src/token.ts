import { readFile } from 'node:fs/promises'
import { MillraceError } from '@millrace/core/errors'
import { layoutOf } from '@millrace/stack/layout'
import { issuerKeyFileOf } from '@millrace/stack/secrets'
import { mintToken } from '@millrace/stack/token'
import type { StateOption } from './settings.ts'

export type TokenOptions = StateOption & {
  readonly scope: readonly string[]
  readonly subject: string
  /** In seconds. */
  readonly ttl: number
}

/** A token of the local issuer; the stack need not run, but must have been started once. */
export async function token(options: TokenOptions): Promise<string> {
  const issuerKeyFile = issuerKeyFileOf(layoutOf(options.state))
  await readFile(issuerKeyFile).catch((cause: unknown) => {
    throw new MillraceError('stack.failed', 'there is no issuer yet: start the platform once with "npx millrace up"', {
      cause,
    })
  })
  return mintToken({ issuerKeyFile }, { subject: options.subject, scopes: options.scope, ttlSeconds: options.ttl })
}
