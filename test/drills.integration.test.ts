import { combined } from '@millrace/drills/combined'
import { drillOf } from '@millrace/drills/drills'
import { runDrill } from '@millrace/drills/run-drill'
import { javaEnvironment } from '@millrace/stack/environment'
import { openInstallation } from '@millrace/stack/installation'
import { stack } from '@millrace/testkit/fixture'
import platform from '@millrace/testkit/platform'
import { expect, test } from 'vitest'

const { stateDirectory, portBase, gatewayUrls } = stack()
const eventsPerSecond = 500

/** Some that end soon, and leave the brokers in sync for the tests after them; `npm run drills` runs all of them. */
const bounded = [['gateway-stop', 'jwks-rotation', 'registry-garbage'], ['leader-kill'], ['network-black-hole']].map(
  (names) => (names.length === 1 ? drillNamed(names.join()) : combined(names.map(drillNamed))),
)

function drillNamed(name: string) {
  const drill = drillOf(name)
  if (!drill) throw new Error(`there is no drill ${name}`)
  return drill
}

test.each(bounded)('$name loses nothing that was acknowledged', { timeout: 300_000 }, async (drill) => {
  const installation = await openInstallation({
    stateDirectory,
    portBase,
    brokers: 3,
    faults: true,
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
    `${drill.name}: ${report.acknowledged} acknowledged at ${report.eventsPerSecond}/s, ${report.unconfirmed} left unconfirmed, ` +
      `${report.copies} copies, calm ${report.recoverySeconds ?? '–'} s after ${report.faultSeconds.toFixed(1)} s`,
  )
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
  expect(report.ok).toBe(true)
  expect(report.acknowledged).toBeGreaterThan(eventsPerSecond * 5)
})
