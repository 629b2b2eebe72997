import type { Signal } from '@millrace/core/signals'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

type Labels<Entry extends Signal> = Entry['labels'][number]
type Of<Kind extends Signal['kind']> = Signal & { readonly kind: Kind }

/** Makes metrics from the catalogue of signals, and from nothing else: name, labels and meaning stand there. */
export type Metrics = {
  readonly counter: <Entry extends Of<'counter'>>(signal: Entry) => Counter<Labels<Entry>>
  readonly gauge: <Entry extends Of<'gauge'>>(signal: Entry) => Gauge<Labels<Entry>>
  /** A gauge that is asked for its value whenever metrics are read. Without labels, and once for each signal. */
  readonly watch: (signal: Of<'gauge'> & { readonly labels: readonly [] }, read: () => number) => void
  readonly histogram: <Entry extends Of<'histogram'>>(signal: Entry) => Histogram<Labels<Entry>>
  /** Prometheus' text format. */
  readonly exposition: () => Promise<{ readonly contentType: string; readonly body: string }>
}

/** A registry of metrics of its own, with those of the process (CPU, memory, event loop) in it. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const common = (signal: Signal) => ({ name: signal.name, help: signal.meaning, registers: [registry] })
  return {
    counter: (signal) => new Counter({ ...common(signal), labelNames: labelsOf(signal) }),
    gauge: (signal) => new Gauge({ ...common(signal), labelNames: labelsOf(signal) }),
    watch: (signal, read) => {
      new Gauge({
        ...common(signal),
        collect() {
          this.set(read())
        },
      })
    },
    histogram: (signal) =>
      new Histogram({ ...common(signal), labelNames: labelsOf(signal), buckets: [...(signal.buckets ?? [])] }),
    exposition: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}

function labelsOf<Entry extends Signal>(signal: Entry): Labels<Entry>[] {
  return [...signal.labels]
}
