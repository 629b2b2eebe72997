import { drills } from '@millrace/drills/drills'
import { runDrill } from '@millrace/drills/run-drill'
import { javaEnvironment } from '@millrace/stack/environment'
import { openInstallation } from '@millrace/stack/installation'
import { stack } from '@millrace/testkit/fixture'
import platform from '@millrace/testkit/platform'
import { expect, test } from 'vitest'

const { stateDirectory, portBase, gatewayUrls } = stack()
const eventsPerSecond = 500

/** One that ends soon and leaves the brokers alone, which other tests use; `millrace drill` runs all of them, at any rate. */
test.each(['gateway-kill'])('%s loses nothing that was acknowledged', { timeout: 300_000 }, async (name) => {
  const drill = drills.find((one) => one.name === name)
  if (!drill) throw new Error(`there is no drill ${name}`)
  const installation = await openInstallation({
    stateDirectory,
    portBase,
    brokers: 3,
    platform,
    java: javaEnvironment,
  })
  const report = await runDrill(drill, {
    installation,
    gatewayUrls,
    eventsPerSecond,
    note: () => undefined,
    signal: new AbortController().signal,
  })
  console.log(
    `${name}: ${report.acknowledged} acknowledged at ${report.eventsPerSecond}/s, ${report.unconfirmed} left unconfirmed, ` +
      `${report.copies} copies, calm ${report.recoverySeconds ?? '–'} s after ${report.faultSeconds.toFixed(1)} s`,
  )
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
  expect(report.ok).toBe(true)
  expect(report.acknowledged).toBeGreaterThan(eventsPerSecond * 5)
})
