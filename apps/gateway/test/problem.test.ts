import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { problem, ProblemError, sendProblem } from '../src/problem.ts'

async function answerTo(status: number) {
  const app = fastify()
  app.get('/', (_request, reply) => sendProblem(reply, problem(status, 'what to do', { id: 'a' })))
  return app.inject('/')
}

test('a problem has the title of its status and what else there is to say', () => {
  const errors = [{ pointer: '/data', detail: 'is required' }] as const
  expect(problem(422, 'it does not fit', { errors })).toEqual({
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    detail: 'it does not fit',
    errors,
  })
  expect(new ProblemError(problem(404, 'not here')).message).toBe('not here')
})

test('a problem is answered as RFC 9457 wants it', async () => {
  const answer = await answerTo(404)
  expect(answer.statusCode).toBe(404)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.json()).toMatchObject({ status: 404, title: 'Not Found', detail: 'what to do', id: 'a' })
})

test.each([
  [401, 'www-authenticate', 'Bearer'],
  [429, 'retry-after', '1'],
  [503, 'retry-after', '1'],
])('%i comes with %s', async (status, header, value) => {
  expect((await answerTo(status)).headers[header]).toBe(value)
  expect((await answerTo(400)).headers).not.toHaveProperty(header)
})
