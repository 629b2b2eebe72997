import { MillraceError } from '@millrace/core/errors'
import { layoutOf } from '@millrace/stack/layout'
import { issuerKeyFileOf } from '@millrace/stack/secrets'
import { mintToken } from '@millrace/stack/token'
import { readFile } from 'node:fs/promises'

const secondsOf = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** `30s`, `15m`, `1h`, `7d` in seconds. Throws MillraceError `config.invalid` for anything else. */
function seconds(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text)
  const unit = Object.entries(secondsOf).find(([name]) => name === match?.[2])?.[1]
  if (!match || unit === undefined) {
    throw new MillraceError('config.invalid', `"${text}" is not a duration: write a number and s, m, h or d, as in 60s`)
  }
  return Number(match[1]) * unit
}

/** A token of the local issuer; the stack need not run, but must have been started once. */
export async function token(options: {
  readonly state: string
  readonly scope: readonly string[]
  readonly subject: string
  readonly ttl: string
}): Promise<string> {
  const issuerKeyFile = issuerKeyFileOf(layoutOf(options.state))
  await readFile(issuerKeyFile).catch((cause: unknown) => {
    throw new MillraceError('stack.failed', 'there is no issuer yet: start the platform once with "npx millrace up"', {
      cause,
    })
  })
  return mintToken(
    { issuerKeyFile },
    { subject: options.subject, scopes: options.scope, ttlSeconds: seconds(options.ttl) },
  )
}
