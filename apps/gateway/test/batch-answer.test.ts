import fastify from 'fastify'
import { expect, test } from 'vitest'
import { createBatchAnswer } from '../src/batch-answer.ts'
import { problem } from '../src/problem.ts'

test.each([1, 2_000, 2_001, 9_000])('an answer of %i results has each of them once, in their order', async (count) => {
  const answer = createBatchAnswer()
  for (let index = 0; index < count; index++) {
    answer.put(index, { status: 'rejected', id: `id-${index}`, problem: problem(404, 'there is no such type') })
  }
  const app = fastify()
  app.get('/', (_request, reply) => answer.send(reply))
  const told = await app.inject('/')
  await app.close()
  expect(told.statusCode).toBe(422)
  expect(told.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(told.json()).toMatchObject({
    accepted: 0,
    rejected: count,
    unconfirmed: 0,
    results: Array.from({ length: count }, (_, index) => ({ index, id: `id-${index}`, status: 'rejected' })),
  })
})
