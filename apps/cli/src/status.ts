import { layoutOf } from '@millrace/stack/layout'
import { isAlive } from '@millrace/stack/process-identity'
import { readRecord, type ServiceRecord } from '@millrace/stack/run-folder'

type Service = Pick<ServiceRecord, 'name' | 'state' | 'address' | 'pid'>
export type Status = { readonly ready: boolean; readonly services: readonly Service[] }

/** What runs in a state folder, checked against the processes that there are. */
export async function statusOf(state: string): Promise<Status> {
  const record = await readRecord(layoutOf(state))
  if (!record) return { ready: false, services: [] }
  const services = await Promise.all(
    record.services.map(async ({ name, state, address, pid, startedAt }): Promise<Service> => {
      const alive = pid !== null && startedAt !== null && (await isAlive({ pid, startedAt }))
      return { name, state: alive || state !== 'running' ? state : 'failed', address, pid: alive ? pid : null }
    }),
  )
  const ready = record.ready && (await isAlive(record.runner)) && services.every(({ state }) => state === 'running')
  return { ready, services }
}

export function statusTable({ ready, services }: Status): string {
  if (services.length === 0) return 'nothing runs here: start it with "npx millrace up"'
  const rows = services.map(
    ({ name, state, address, pid }) =>
      `${name.padEnd(18)} ${state.padEnd(11)} ${String(pid ?? '-').padStart(8)}  ${address}`,
  )
  return [...rows, ready ? 'ready' : 'not ready'].join('\n')
}
