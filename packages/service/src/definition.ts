import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '@millrace/core/errors'
import type { Platform } from '@millrace/core/platform'

/**
 * The platform that a module exports by default.
 * @throws MillraceError `config.invalid` when the file cannot be loaded or exports something else.
 */
export async function loadDefinition(file: string): Promise<Platform> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href).catch((cause: unknown) => {
    throw new MillraceError('config.invalid', `the definition ${file} cannot be loaded: ${String(cause)}`, { cause })
  })
  if (typeof module === 'object' && module !== null && 'default' in module && isPlatform(module.default)) {
    return module.default
  }
  throw new MillraceError('config.invalid', `${file} must export "definePlatform({ … })" by default`)
}

function isPlatform(value: unknown): value is Platform {
  return typeof value === 'object' && value !== null && 'events' in value && 'pipelines' in value && 'sinks' in value
}
