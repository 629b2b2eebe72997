import type { Stack } from '@millrace/stack/stack'

/** Called for the process ids when they are needed, since a server may have been started again. */
export type Pids = { readonly of: (server: string) => number; readonly brokers: () => number[] }

export function pidsOf(stack: Stack): Pids {
  return {
    of: (server) => stack.services().find(({ name }) => name === server)?.pid ?? 0,
    brokers: () =>
      stack.services().flatMap(({ name, pid }) => (name.startsWith('kafka-') && pid !== undefined ? [pid] : [])),
  }
}
