import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished } from 'vitest'

/** What a server answers to one request; `silence` is a server that takes it and says nothing. */
export type Answer = { readonly status?: number; readonly body: unknown } | 'silence'

export type Asked = { readonly method: string; readonly path: string; readonly body: string }

/**
 * A server of this test's own that gives Flink's recorded answers: for each request (`GET /jobs/overview`) one after the other,
 * the last one for ever, and 404 in Flink's words for any other.
 */
export async function answering(
  answers: Readonly<Record<string, Answer | readonly Answer[]>>,
): Promise<{ readonly url: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [method, path] = [request.method ?? '', request.url ?? '']
      const before = asked.filter((one) => one.method === method && one.path === path).length
      asked.push({ method, path, body: Buffer.concat(chunks).toString() })
      const all = [answers[`${method} ${path}`] ?? notFound].flat()
      const answer = all[Math.min(before, all.length - 1)] ?? notFound
      if (answer === 'silence') return
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json; charset=UTF-8' })
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { url: `http://127.0.0.1:${address.port}`, asked }
}

const notFound: Answer = { status: 404, body: { errors: ['Not found: /nowhere'] } }

/** What matches a message with this text in it. */
export function containing(text: string): unknown {
  return expect.stringContaining(text)
}

export const jobId = '8f4cd0e1c5fd4c4a0c0ba3a2a1d2bd29'

/** `GET /jobs/overview` for one job. */
export function overview(state: string, name = 'spend-per-customer', id = jobId): Answer {
  return { body: { jobs: [overviewOf(state, name, id)] } }
}

export function overviewOf(state: string, name = 'spend-per-customer', id = jobId) {
  return {
    jid: id,
    name,
    'start-time': 1_900_000_000_000,
    'end-time': -1,
    duration: 4711,
    state,
    'last-modification': 1_900_000_000_100,
    tasks: { running: 4, canceling: 0, canceled: 0, total: 4, created: 0, scheduled: 0, deploying: 0 },
  }
}

/** `GET /jobs/<id>`. */
export function detail(state: string, tasks: readonly string[]): Answer {
  const vertices = tasks.map((status, at) => ({ id: `${at}`, name: `task ${at}`, parallelism: 1, status }))
  return { body: { jid: jobId, name: 'spend-per-customer', state, vertices, 'start-time': 1_900_000_000_000 } }
}

/** `GET /jobs/<id>/config`. */
export function configWith(fingerprint: string): Answer {
  const parameters = { 'millrace.fingerprint': fingerprint }
  return {
    body: { jid: jobId, name: 'spend', 'execution-config': { 'job-parallelism': 1, 'user-config': parameters } },
  }
}

/** `GET /jobs/<id>/exceptions`. */
export const exceptions: Answer = {
  body: {
    exceptionHistory: {
      entries: [
        {
          exceptionName: 'org.apache.flink.runtime.JobException',
          stacktrace:
            'org.apache.flink.runtime.JobException: Recovery is suppressed\n\tat org.apache.flink.X.y(X.java:1)\nCaused by: java.lang.RuntimeException: outer\n\t... 3 more\nCaused by: org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized to access topics: [order.placed]\n',
        },
      ],
      truncated: false,
    },
  },
}
