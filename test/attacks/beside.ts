/** What is looked at beside an attack: good requests, and what the gateway says of itself. */
import { sampleIn } from '@millrace/testkit/exposition'
import { stack } from '@millrace/testkit/fixture'

const { token } = stack()

/** What a gateway says of itself. */
export async function scraped(gatewayUrl: string) {
  const answer = await fetch(`${gatewayUrl}/metrics`, {
    headers: { authorization: `Bearer ${await token('metrics:read')}` },
  })
  const body = await answer.text()
  const sample = (name: string) => sampleIn(body, name)
  const delays = [...body.matchAll(/^millrace_event_loop_delay_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)]
  return {
    sample,
    rssBytes: sample('process_resident_memory_bytes'),
    startedAt: sample('process_start_time_seconds'),
    delays: new Map(delays.map(([, bound, count]) => [Number(bound?.replace('+Inf', 'Infinity')), Number(count)])),
  }
}

/** Good requests, one after another, until told to stop. */
export function goodTraffic(gatewayUrl: string, authorization: string) {
  const statuses: number[] = []
  let running = true
  const body = JSON.stringify({
    specversion: '1.0',
    source: '/good',
    type: 'order.placed',
    data: { customer: 'good', amount: 1, at: '2030-06-01T00:00:00Z' },
  })
  const headers = { authorization, 'content-type': 'application/cloudevents+json' }
  const run = async () => {
    while (running) statuses.push((await fetch(`${gatewayUrl}/v1/events`, { method: 'POST', headers, body })).status)
  }
  const ran = run()
  return {
    stop: async () => {
      running = false
      await ran
      return statuses
    },
  }
}
