import type { InstallationOptions } from './installation.ts'
import { type Installation, openInstallation } from './installation.ts'
import { partsOf } from './parts.ts'
import { createStack, type Stack, type StackEvents } from './stack.ts'

/** An installation and the stack that runs it, not yet started. */
export async function openStack(
  options: InstallationOptions,
  events: StackEvents,
): Promise<{ installation: Installation; stack: Stack }> {
  const installation = await openInstallation(options)
  const { parts, missing } = await partsOf(installation, (sentence) => events.note(sentence))
  if (missing.length > 0) {
    events.note(
      `${missing.join(' and ')} not installed: everything runs, but nothing records metrics and no alert fires`,
    )
  }
  return { installation, stack: createStack(installation, options.portBase, parts, events) }
}
