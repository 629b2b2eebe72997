import { afterAll, beforeAll, expect, it } from 'vitest'
import { adminToken, type Double, startDouble } from './double.ts'

let double: Double
beforeAll(async () => {
  double = await startDouble()
})
afterAll(() => double.close())

const path = '/_admin/faults'
const select = { statement: 'SELECT 1' }

it('faults are for those who have the admin token alone', async () => {
  for (const method of ['GET', 'POST', 'DELETE']) {
    expect((await double.call(method, path, method === 'POST' ? {} : undefined)).status).toBe(401)
  }
})

it('a fault strikes as often as it says, and only what it names', async () => {
  await double.call('POST', path, { match: '/api/v2/', mode: 'status', status: 503, count: 2 }, adminToken)
  expect((await double.call('GET', '/health/ready')).status).toBe(200)
  expect((await double.call('POST', '/api/v2/statements', select)).status).toBe(503)
  expect((await double.call('POST', '/api/v2/statements', select)).status).toBe(503)
  expect((await double.call('POST', '/api/v2/statements', select)).status).toBe(200)
})

it('a dropped request was never done', async () => {
  await double.call('POST', path, { match: '/api/v2/', mode: 'drop' }, adminToken)
  await expect(double.statement('CREATE DATABASE DROPPED')).rejects.toThrow()
  expect((await double.statement('CREATE SCHEMA DROPPED.S')).code).toBe('002003')
})

it('a lost answer is of a request that was done', async () => {
  await double.call('POST', path, { match: '/api/v2/', mode: 'lost-answer' }, adminToken)
  await expect(double.statement('CREATE DATABASE LOST')).rejects.toThrow()
  expect((await double.statement('CREATE SCHEMA LOST.S')).status).toBe(200)
})

it('faults that are left can be ended', async () => {
  await double.call('POST', path, { match: '/api/v2/', mode: 'hang', count: 100 }, adminToken)
  expect(await (await double.call('DELETE', path, undefined, adminToken)).json()).toEqual({ faults: [] })
  expect((await double.statement('SELECT 1')).status).toBe(200)
})

it('an unknown kind of fault is refused', async () => {
  expect((await double.call('POST', path, { match: '/', mode: 'explode' }, adminToken)).status).toBe(400)
})
