/** The users' passwords on the brokers. The client library has the requests for them, but no calls. */
import { pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { type Admin, alterUserScramCredentialsV0, describeUserScramCredentialsV0 } from '@platformatic/kafka'

const scramSha512 = 2
const scramIterations = 8_192

/** @see RFC 5802 §3 for the salted password */
export async function alterScram(client: Admin, name: string, password: string): Promise<void> {
  const salt = randomBytes(24)
  const saltedPassword = await promisify(pbkdf2)(password, salt, scramIterations, 64, 'sha512')
  const credential = { name, mechanism: scramSha512, iterations: scramIterations, salt, saltedPassword }
  await alterUserScramCredentialsV0.api.async(await anyBroker(client), [], [credential])
}

export async function deleteScram(client: Admin, name: string): Promise<void> {
  await alterUserScramCredentialsV0.api.async(await anyBroker(client), [{ name, mechanism: scramSha512 }], [])
}

export async function scramUsers(client: Admin): Promise<string[]> {
  const { results } = await describeUserScramCredentialsV0.api.async(await anyBroker(client), null)
  const has512 = results.filter(({ credentialInfos }) =>
    credentialInfos.some(({ mechanism }) => mechanism === scramSha512),
  )
  return has512.map(({ user }) => user)
}

async function anyBroker(client: Admin) {
  const [connection] = (await client.connectToBrokers()).values()
  if (!connection) throw new MillraceError('kafka.unavailable', 'no broker answers')
  return connection
}
