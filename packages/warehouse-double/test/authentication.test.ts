import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Claims, type Double, newKeyPair, startDouble, tokenOf } from './double.ts'

let double: Double
beforeAll(async () => {
  double = await startDouble()
})
afterAll(() => double.close())

const select = { statement: 'SELECT 1' }
const now = Math.floor(Date.now() / 1_000)

describe('a key-pair token', () => {
  it('is accepted when the registered key signed it', async () => {
    expect((await double.call('POST', '/api/v2/statements', select)).status).toBe(200)
  })

  it.each<[string, Claims]>([
    ['an expired one', { iat: now - 1_000, exp: now - 10 }],
    ['one older than an hour, whatever it says of its end', { iat: now - 3_700, exp: now + 3_600 }],
    ['one from the future', { iat: now + 600 }],
    ['one of another account', { sub: 'OTHER.LOADER' }],
    ['one of an unknown user', { sub: 'MILLRACE.SOMEBODY' }],
    ['one without the fingerprint', { iss: 'MILLRACE.LOADER' }],
    ['one that claims no algorithm', { alg: 'none' }],
    ['one that claims a symmetric algorithm', { alg: 'HS256' }],
  ])('is refused: %s', async (_, claims) => {
    const answer = await double.call('POST', '/api/v2/statements', select, tokenOf(double.privateKey, claims))
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: '390144' })
  })

  it.each([
    ['another key signed it', () => tokenOf(newKeyPair().privateKey)],
    ['its claims were changed after signing', () => tampered(tokenOf(double.privateKey))],
    ['its signature is missing', () => tokenOf(double.privateKey).split('.').slice(0, 2).join('.')],
    ['it is no token', () => 'nonsense'],
    ['it is empty', () => ''],
  ])('is refused when %s', async (_, token) => {
    expect((await double.call('POST', '/api/v2/statements', select, token())).status).toBe(401)
    expect((await double.call('POST', '/v1/streaming/client/configure/', {}, token())).status).toBe(401)
  })

  it('is refused as one of another type', async () => {
    const answer = await fetch(new URL('/api/v2/statements', await urlOf(double)), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenOf(double.privateKey)}`,
        'x-snowflake-authorization-token-type': 'OAUTH',
        'content-type': 'application/json',
      },
      body: JSON.stringify(select),
    })
    expect(answer.status).toBe(401)
  })
})

describe('a driver', () => {
  const login = (data: Record<string, string>) =>
    double.call('POST', '/session/v1/login-request?roleName=loading', { data }, '')

  it('signs in by key pair and runs statements in its session', async () => {
    const data = { AUTHENTICATOR: 'SNOWFLAKE_JWT', TOKEN: tokenOf(double.privateKey) }
    const body = JSON.stringify(await (await login(data)).json())
    const token = /"token":"([^"]+)"/.exec(body)?.[1] ?? ''
    const answer = await fetch(new URL('/queries/v1/query-request', await urlOf(double)), {
      method: 'POST',
      headers: { authorization: `Snowflake Token="${token}"`, 'content-type': 'application/json' },
      body: JSON.stringify({ sqlText: 'SELECT current_user(), current_role()' }),
    })
    expect(await answer.json()).toMatchObject({ success: true, data: { rowset: [['LOADER', 'LOADING']] } })
  })

  it('cannot sign in by password', async () => {
    const answer = await login({ LOGIN_NAME: 'LOADER', PASSWORD: 'x' })
    expect(await answer.json()).toMatchObject({ success: false, code: '390144' })
  })

  it('cannot run anything without a session', async () => {
    const answer = await double.call('POST', '/queries/v1/query-request', { sqlText: 'SELECT 1' })
    expect(await answer.json()).toMatchObject({ success: false, code: '390104' })
  })
})

describe('the double', () => {
  it('says what it is to everybody', async () => {
    const answer = await double.call('GET', '/', undefined, '')
    expect(answer.headers.get('server')).toMatch(/^millrace-warehouse-double\//)
    expect(await answer.json()).toMatchObject({ double: true, name: 'millrace-warehouse-double' })
    expect(await (await double.call('GET', '/health/ready', undefined, '')).json()).toEqual({
      ready: true,
      double: true,
    })
  })

  it('answers 404 to what it does not speak', async () => {
    expect((await double.call('POST', '/v1/data/pipes/A.B.C/insertFiles', {})).status).toBe(404)
  })
})

async function urlOf({ call }: Double): Promise<string> {
  return (await call('GET', '/health/ready')).url
}

function tampered(token: string): string {
  const [header = '', , signature = ''] = token.split('.')
  const claims = { iss: 'MILLRACE.LOADER', sub: 'MILLRACE.LOADER', iat: now, exp: now + 86_400 }
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
}
