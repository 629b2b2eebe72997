/** HTTP on a Unix socket, by which faults are ordered and healed. */
import { chmod, rm } from 'node:fs/promises'
import { MillraceError } from '@millrace/core/errors'
import { fastify } from 'fastify'
import { orderSchema } from './fault.ts'
import type { FaultProxy } from './proxy.ts'

/** What the kernel's `sockaddr_un` has room for. */
const socketPathBytesMax = 107

/**
 * @param socketPath nobody else may be able to write its folder
 * @throws MillraceError 'config.invalid' when the path is too long
 */
export async function openControl(proxy: FaultProxy, socketPath: string): Promise<{ close: () => Promise<void> }> {
  if (Buffer.byteLength(socketPath) > socketPathBytesMax) {
    throw new MillraceError(
      'config.invalid',
      `${socketPath} is longer than the ${socketPathBytesMax} bytes of a Unix socket's name: choose a shorter state folder with --state`,
    )
  }
  const app = fastify({ logger: false, forceCloseConnections: true })
  app.get('/faults', () => proxy.standing())
  app.post('/faults', async (request, reply) => {
    const order = orderSchema.safeParse(request.body)
    if (!order.success) return reply.code(400).send({ message: order.error.message })
    return { id: await proxy.order(order.data) }
  })
  app.delete('/faults', async (_request, reply) => {
    await proxy.healAll()
    return reply.code(204).send()
  })
  app.delete<{ Params: { id: string } }>('/faults/:id', async (request, reply) => {
    await proxy.heal(Number(request.params.id))
    return reply.code(204).send()
  })
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
    reply.code(statusOf(error)).send({ message: error.message }),
  )
  await rm(socketPath, { force: true }) // of a proxy that was killed
  await app.listen({ path: socketPath })
  await chmod(socketPath, 0o600)
  return { close: () => app.close() }
}

function statusOf(error: Error & { statusCode?: number }): number {
  if (error instanceof MillraceError) return error.code === 'config.invalid' ? 400 : 500
  return error.statusCode ?? 500
}
