import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { kafkaReader } from '@millrace/core/access'
import { eventType } from '@millrace/core/event-type'
import { definePlatform } from '@millrace/core/platform'
import { type Acl, openAdmin } from '@millrace/kafka/admin'
import { aclsOf } from '@millrace/reconcile/desired-acls'
import { projectDirectory } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'

const { stateDirectory, connection } = stack()
const cli = resolve(projectDirectory, 'apps/cli/src/main.ts')
const platform = resolve(projectDirectory, 'packages/testkit/src/platform.ts')
const changesShape = z.array(
  z.object({ resource: z.string(), action: z.string(), name: z.string(), detail: z.string() }),
)

async function changesOf(command: 'plan' | 'apply') {
  const words = [cli, command, '--json', '--state', stateDirectory, '--platform', platform]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  return changesShape.parse(JSON.parse(stdout))
}

test('a reader that the definition names no more loses its password and what it may; what others gave is left', async () => {
  const admin = openAdmin(connection('admin'))
  onTestFinished(() => admin.close())
  const order = eventType('order.placed', { schema: { type: 'object' } })
  await admin.createAcls(
    aclsOf(definePlatform({ events: [order], access: [kafkaReader('former', { reads: [order] })] })),
  )
  await admin.alterScramCredential('former', 'secret')
  const foreign: Acl = {
    principal: 'User:somebody',
    resource: 'topic',
    name: 'order.placed',
    pattern: 'literal',
    operation: 'Read',
    permission: 'allow',
  }
  await admin.createAcls([foreign])
  onTestFinished(() => admin.deleteAcls([foreign]))
  const login = openAdmin({ ...connection('auditor'), username: 'former', password: 'secret' })
  onTestFinished(() => login.close())
  await vi.waitFor(() => login.brokers(), { timeout: 10_000 })

  const planned = await changesOf('plan')
  expect(planned).toEqual([
    expect.objectContaining({ resource: 'user', action: 'delete', name: 'former' }),
    expect.objectContaining({ resource: 'acl', action: 'delete', name: 'User:former' }),
  ])
  expect(await changesOf('apply')).toEqual(planned)
  expect(await admin.scramUsers()).not.toContain('former')
  expect((await admin.describeAcls()).filter(({ principal }) => principal === 'User:former')).toEqual([])
  expect(await admin.describeAcls()).toContainEqual(foreign)
  expect(await changesOf('plan')).toEqual([])
})

test('what runs is what the definition says; what somebody changed by hand is found, and put right by apply', async () => {
  expect(await changesOf('plan')).toEqual([])
  const admin = openAdmin(connection('admin'))
  onTestFinished(() => admin.close())
  await admin.setTopicConfig('order.placed', { 'retention.ms': '3600000' })
  await admin.deleteAcls((await admin.describeAcls()).filter(({ principal }) => principal === 'User:auditor'))

  const differences = [
    expect.objectContaining({ resource: 'acl', action: 'create', name: 'User:auditor' }),
    expect.objectContaining({ resource: 'topic', action: 'update', name: 'order.placed' }),
  ]
  const planned = await changesOf('plan')
  expect(planned).toHaveLength(2)
  expect(planned).toEqual(expect.arrayContaining(differences))
  expect(await changesOf('apply')).toEqual(planned)
  expect(await changesOf('plan')).toEqual([])
})
