import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import type { z } from 'zod'

/**
 * The one door through which settings come: reads the JSON file that `--config` names and checks it against a schema.
 * @param argv the program's arguments, without the interpreter and the script
 * @throws MillraceError 'config.invalid' whose message names every setting that is wrong and what to do about it.
 */
export async function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  argv: readonly string[],
): Promise<z.output<Schema>> {
  const file = configFileOf(argv)
  return parseConfig(schema, parseJson(await readText(file), file), file)
}

/**
 * Checks settings that are already in memory.
 * @throws MillraceError 'config.invalid'
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  settings: unknown,
  origin: string,
): z.output<Schema> {
  const parsed = schema.safeParse(settings)
  if (parsed.success) return parsed.data
  const sentences = parsed.error.issues.map(sentenceOf)
  throw new MillraceError('config.invalid', `${origin}: ${sentences.join('; ')}`)
}

function configFileOf(argv: readonly string[]): string {
  try {
    const { values } = parseArgs({ args: [...argv], options: { config: { type: 'string' } } })
    if (values.config !== undefined) return values.config
  } catch (cause) {
    throw new MillraceError('config.invalid', 'the only argument is --config <file.json>', { cause })
  }
  throw new MillraceError('config.invalid', 'no settings: start it with --config <file.json>')
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('config.invalid', `${file} cannot be read: does it exist, and may this user read it?`, {
      cause,
    })
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text around the fault, which may be a password.
    throw new MillraceError('config.invalid', `${file} is not JSON`)
  }
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => (path ? `${path}.${key}` : key))
    return `${names.join(', ')}: there is no such setting, take it out or correct its name`
  }
  return `${path || 'the settings'}: ${issue.message}`
}
