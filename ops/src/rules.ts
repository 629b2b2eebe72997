import { alerts } from './alerts.ts'

/** The alerts as Prometheus reads them. JSON is YAML, so the file needs no writer of its own. */
export function rulesFile(): string {
  const rules = alerts.map((alert) => ({
    alert: alert.name,
    expr: alert.expression,
    for: alert.for,
    labels: { severity: alert.severity },
    annotations: { summary: alert.summary, runbook: `docs/runbook.md#${alert.runbook}` },
  }))
  return `${JSON.stringify({ groups: [{ name: 'millrace', rules }] }, undefined, 2)}\n`
}
