import { MillraceError } from '@millrace/core/errors'
import type { Order } from './fault.ts'
import { Listener, type ListenerOptions } from './listener.ts'

export type Standing = { readonly id: number; readonly order: Order }

/** Ports through which servers are reached, and what is wrong with them now. */
export type FaultProxy = {
  /** Where a listener of that name listens. */
  readonly port: (name: string) => number | undefined
  readonly standing: () => Standing[]
  /**
   * Resolves with the number of the fault when it has befallen all connections that there are.
   * @throws MillraceError 'config.invalid' for a listener that there is not; 'stack.failed' when whose connections they are cannot be told
   */
  readonly order: (order: Order) => Promise<number>
  /** Resolves when the fault is over; at once when there is none of that number. */
  readonly heal: (id: number) => Promise<void>
  readonly healAll: () => Promise<void>
  readonly close: () => Promise<void>
}

/** @throws Error of the system when a port is taken */
export async function openFaultProxy(options: readonly ListenerOptions[]): Promise<FaultProxy> {
  const listeners = options.map((one) => new Listener(one))
  const standing = new Map<number, { readonly order: Order; readonly timer: NodeJS.Timeout }>()
  let ordered = 0

  const close = async () => {
    for (const { timer } of standing.values()) clearTimeout(timer)
    await Promise.all(listeners.map((listener) => listener.close()))
  }
  const heal = async (id: number) => {
    clearTimeout(standing.get(id)?.timer)
    standing.delete(id)
    await Promise.all(listeners.map((listener) => listener.remove(id)))
  }
  const order = async (wanted: Order) => {
    const unknown = wanted.listeners.filter((name) => !listeners.some((listener) => listener.name === name))
    if (unknown.length > 0) {
      const known = listeners.map(({ name }) => name).join(', ')
      throw new MillraceError('config.invalid', `there is no listener ${unknown.join(', ')}: there are ${known}`)
    }
    ordered += 1
    const id = ordered
    const timer = setTimeout(() => void heal(id), wanted.forMs)
    standing.set(id, { order: wanted, timer })
    const meant = listeners.filter(({ name }) => wanted.listeners.includes(name))
    try {
      await Promise.all(meant.map((listener) => listener.add(id, wanted)))
    } catch (error) {
      await heal(id)
      throw error
    }
    return id
  }
  try {
    await Promise.all(listeners.map((listener) => listener.open()))
  } catch (error) {
    await close()
    throw error
  }
  return {
    port: (name) => listeners.find((listener) => listener.name === name)?.port,
    standing: () => [...standing].map(([id, { order: asked }]) => ({ id, order: asked })),
    order,
    heal,
    healAll: async () => {
      await Promise.all([...standing.keys()].map(heal))
    },
    close,
  }
}
