/** The rooms of docs/architecture.md: dependencies point one way, apps → parts → core. */
const room = (name) => `^(packages|apps)/${name}/`
const programs = [
  '/src/main[.]ts$',
  '^packages/drills/src/soak-main[.]ts$',
  '^bench/src/[^/]+/[^/]+-main[.]ts$', // run by the benchmark, each as a process of its own
  '^examples/[^/]+/src/platform[.]ts$',
  '^ops/src/generate[.]ts$',
  '/start-stack[.]ts$',
  '^packages/flink/test/differential/main[.]ts$',
  '/test/scripted-[^/]+[.]ts$', // run by a test, as a process of its own
  '[.]test[.]ts$',
]
const rule = (from, path, allowed) => ({
  name: `${from.split('/').pop()}-imports-only-${allowed.join('-and-') || 'itself'}`,
  severity: 'error',
  from: path,
  to: {
    path: '^(packages|apps|examples|ops|test|bench)/',
    pathNot: [`^${from}/`, ...allowed.map((name) => room(name))],
  },
})
/** A room's tests may use the testkit, and what a stack is made of, besides. */
const only = (from, allowed) => [
  rule(from, { path: `^${from}/`, pathNot: `^${from}/test/` }, allowed),
  rule(from, { path: `^${from}/test/` }, [...allowed, 'testkit', 'stack']),
]

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-unreachable',
      comment: 'every file is imported by a program or a test, directly or by a detour',
      severity: 'error',
      from: { path: programs },
      to: { path: '^(packages|apps|examples|ops|bench)/.*[.]ts$', pathNot: programs, reachable: false },
    },
    {
      name: 'core-is-pure',
      comment: 'core has no I/O, no clock, no Node built-ins and no third-party code',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: { pathNot: '^packages/core/src/' },
    },
    {
      name: 'one-room-imports-the-kafka-client',
      comment: 'but where its own producer is compared with ours',
      severity: 'error',
      from: { pathNot: '^(packages/kafka/|bench/src/clients/platformatic[.]ts$)' },
      to: { path: 'node_modules/@platformatic/kafka' },
    },
    ...only('packages/core', []),
    ...only('packages/service', ['core']),
    ...only('packages/schemas', ['core']),
    ...only('packages/kafka', ['core']),
    ...only('packages/client', ['core', 'schemas']),
    ...only('packages/flink', ['core']),
    ...only('packages/connect', ['core']),
    ...only('packages/reconcile', ['core', 'kafka', 'schemas', 'flink', 'connect']),
    ...only('packages/warehouse-double', ['service']),
    ...only('packages/faults', ['core', 'service']),
    ...only('packages/ledger', ['core']),
    ...only('packages/drills', ['core', 'faults', 'kafka', 'ledger', 'stack']),
    ...only('packages/stack', ['core', 'service', 'faults', 'kafka', 'schemas', 'flink', 'connect', 'reconcile']),
    ...only('apps/gateway', ['core', 'service', 'schemas', 'kafka', 'reconcile']),
    ...only('apps/monitor', ['core', 'service', 'kafka']),
    ...only('apps/worker', ['core', 'service', 'schemas', 'kafka']),
    ...only('apps/cli', ['core', 'service', 'stack', 'reconcile', 'client', 'kafka', 'flink', 'drills']),
    {
      name: 'testkit-is-for-tests-only',
      severity: 'error',
      from: { pathNot: '(^packages/testkit/|^test/|\\.test\\.ts$|/test/)' },
      to: { path: '^packages/testkit/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/target/|/dist/|\\.millrace)' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
