import { dirname } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import type * as z from 'zod'

/**
 * What a JSON file of the state folder says.
 * @throws MillraceError `stack.failed` with the way out, when it is damaged or another version wrote it.
 */
export function parsedOrRefused<T>(file: string, text: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new MillraceError(
    'stack.failed',
    `${file} is damaged or from another version of Millrace: stop what runs there, then delete the state folder ${dirname(dirname(file))}`,
    { cause: parsed.error },
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // which no schema takes
  }
}
