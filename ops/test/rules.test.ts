import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { alerts } from '../src/alerts.ts'
import { rulesFile } from '../src/rules.ts'

const run = promisify(execFile)
const hasPromtool = await run('promtool', ['--version']).then(
  () => true,
  () => false,
)

type Case = {
  readonly alert: string
  readonly why: string
  readonly series: readonly [string, string][]
  readonly fires: boolean
}

const lag = 'kafka_consumergroup_lag{consumergroup="flink-p",topic="t",partition='
const unaccounted = 'millrace_ledger_unaccounted_events{type="order.placed",reader='
const requests = 'http_server_request_duration_seconds_count{method="POST",route="/v1/events",status='

const cases: readonly Case[] = [
  {
    alert: 'ConsumerLagHigh',
    why: 'the partitions of a topic are 120 000 behind together',
    series: [
      [`${lag}"0"}`, '60000x40'],
      [`${lag}"1"}`, '60000x40'],
    ],
    fires: true,
  },
  {
    alert: 'ConsumerLagHigh',
    why: 'the lag is 100 000 and no more',
    series: [[`${lag}"0"}`, '100000x40']],
    fires: false,
  },
  {
    alert: 'ConsumerLagHigh',
    why: 'two groups are 60 000 behind each',
    series: [
      [`${lag}"0"}`, '60000x40'],
      [`${lag.replace('flink-p', 'other')}"0"}`, '60000x40'],
    ],
    fires: false,
  },
  {
    alert: 'ApiErrorRateHigh',
    why: '2 of 100 requests fail',
    series: [
      [`${requests}"201"}`, '0+980x40'],
      [`${requests}"503"}`, '0+20x40'],
    ],
    fires: true,
  },
  {
    alert: 'ApiErrorRateHigh',
    why: '1 of 200 requests fails',
    series: [
      [`${requests}"201"}`, '0+995x40'],
      [`${requests}"503"}`, '0+5x40'],
    ],
    fires: false,
  },
  {
    alert: 'ApiErrorRateHigh',
    why: 'half of the requests are refused for what they are',
    series: [
      [`${requests}"201"}`, '0+500x40'],
      [`${requests}"422"}`, '0+500x40'],
    ],
    fires: false,
  },
  {
    alert: 'EventsUnaccounted',
    why: 'one event is missing',
    series: [[`${unaccounted}"worker/flag"}`, '1x40']],
    fires: true,
  },
  {
    alert: 'EventsUnaccounted',
    why: 'one was counted twice',
    series: [[`${unaccounted}"worker/flag"}`, '-1x40']],
    fires: true,
  },
  {
    alert: 'EventsUnaccounted',
    why: 'some were missing for two minutes',
    series: [[`${unaccounted}"worker/flag"}`, '0x10 7x8 0x20']],
    fires: false,
  },
  {
    alert: 'AccountingStalled',
    why: 'nothing was written down for ten minutes',
    series: [['millrace_ledger_age_seconds', '0+15x40']],
    fires: true,
  },
  {
    alert: 'AccountingStalled',
    why: 'it was written down a moment ago',
    series: [['millrace_ledger_age_seconds', '2x40']],
    fires: false,
  },
]

test('the committed rules are those that the code generates', async () => {
  expect(await readFile(new URL('../generated/alerts.json', import.meta.url), 'utf8')).toBe(rulesFile())
})

test('every alert has a runbook heading, a case in which it fires and one in which it does not', async () => {
  const runbook = await readFile(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
  for (const alert of alerts) {
    expect(runbook).toContain(`\n## ${alert.name}\n`)
    const own = cases.filter((one) => one.alert === alert.name)
    expect(own.map((one) => one.fires)).toEqual(expect.arrayContaining([true, false]))
  }
})

test.runIf(hasPromtool).each(cases)('$alert: fires $fires when $why', async (one) => {
  const directory = await mkdtemp(join(tmpdir(), 'rules-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'rules.json'), rulesFile())
  await writeFile(join(directory, 'test.json'), JSON.stringify(ruleTest(one)))
  await expect(run('promtool', ['test', 'rules', join(directory, 'test.json')])).resolves.toBeDefined()
})

/** promtool compares the whole list of firing alerts; matching their texts too would only repeat the templates. */
function ruleTest({ alert, series, fires }: Case): unknown {
  const input = series.map(([name, values]) => ({ series: name, values }))
  return {
    rule_files: ['rules.json'],
    evaluation_interval: '15s',
    tests: [
      {
        interval: '15s',
        input_series: input,
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
            eval_time: '5m',
            exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }],
          },
        ],
      },
    ],
  }
}
