import { expect, test } from 'vitest'
import { sqlGateway } from '../src/sql-gateway.ts'
import { type Answer, answering, containing } from './flink-answers.ts'

const opened: Answer = { body: { sessionHandle: 's1' } }
const submitted: Answer = { body: { operationHandle: 'o1' } }
const path = '/v1/sessions/s1/operations/o1/result'
const [first, second] = [`GET ${path}/0?rowFormat=JSON`, `GET ${path}/1?rowFormat=JSON`] as const
const notReady: Answer = { body: { resultType: 'NOT_READY', nextResultUri: `${path}/0?rowFormat=JSON` } }
const end: Answer = { body: { resultType: 'EOS', resultKind: 'SUCCESS', results: { columns: [], data: [] } } }

function page(...fields: readonly unknown[]): Answer {
  const results = { columns: [{ name: 'job id' }], data: [{ kind: 'INSERT', fields }] }
  return {
    body: {
      resultType: 'PAYLOAD',
      resultKind: 'SUCCESS_WITH_CONTENT',
      results,
      nextResultUri: `${path}/1?rowFormat=JSON`,
    },
  }
}

const session = {
  'POST /v1/sessions': opened,
  'POST /v1/sessions/s1/statements': submitted,
  'DELETE /v1/sessions/s1': { body: { status: 'CLOSED' } },
} as const

test('statements run in their order in a session of their own, and the rows are those of the last', async () => {
  const { url, asked } = await answering({ ...session, [first]: [notReady, page('a'), page('b')], [second]: end })
  expect(await sqlGateway({ url }).run(['SET 1', 'SET 2'])).toEqual([['b']])
  const statements = asked
    .filter(({ path }) => path.endsWith('/statements'))
    .map(({ body }): unknown => JSON.parse(body))
  expect(statements).toEqual([{ statement: 'SET 1' }, { statement: 'SET 2' }])
  expect(asked.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/sessions/s1' })
})

test('a statement that Flink does not take is refused with the root cause, what follows is not run, and the session is closed', async () => {
  const errors = [
    'Internal server error.',
    'a.B: outer\n\tat a.B.c(B.java)\nCaused by: c.D: Table `x` not found\n\t... 3 more\n',
  ]
  const { url, asked } = await answering({ ...session, [first]: { status: 500, body: { errors } } })
  await expect(sqlGateway({ url }).run(['SELECT 1', 'SELECT 2'])).rejects.toMatchObject({
    code: 'flink.refused',
    message: containing(' with 500: c.D: Table `x` not found'),
  })
  expect(asked.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET', 'DELETE'])
})

test('a statement that is never ready ends by its deadline', async () => {
  const { url, asked } = await answering({ ...session, [first]: notReady })
  const run = sqlGateway({ url, statementTimeoutMs: 120 }).run(['SELECT 1'])
  await expect(run).rejects.toMatchObject({ code: 'flink.unavailable' })
  expect(asked.at(-1)?.method).toBe('DELETE')
})

test('a statement whose pages never end ends by its deadline', async () => {
  const { url } = await answering({ ...session, [first]: page(1), [second]: page(2) })
  const run = sqlGateway({ url, statementTimeoutMs: 120 }).run(['SELECT 1'])
  await expect(run).rejects.toMatchObject({ code: 'flink.unavailable' })
})

test.each(['POST /v1/sessions', 'POST /v1/sessions/s1/statements', first, 'DELETE /v1/sessions/s1'])(
  'a gateway that falls silent at %s holds nobody up',
  async (silent) => {
    const { url } = await answering({ ...session, [first]: end, [silent]: 'silence' })
    const since = performance.now()
    const run = sqlGateway({ url, statementTimeoutMs: 120 }).run(['SELECT 1'])
    if (silent.startsWith('DELETE')) expect(await run).toEqual([])
    else await expect(run).rejects.toMatchObject({ code: 'flink.unavailable' })
    expect(performance.now() - since).toBeLessThan(5_000)
  },
)

test('an answer without a handle is refused', async () => {
  const { url } = await answering({ 'POST /v1/sessions': { body: { session: 's1' } } })
  const message = "the SQL Gateway's answer has no sessionHandle"
  await expect(sqlGateway({ url }).run(['SELECT 1'])).rejects.toMatchObject({ code: 'flink.refused', message })
})
