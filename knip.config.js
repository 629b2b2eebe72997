// Runs twice in scripts/check.ts: over everything, and with --production over what ships, where an export that only tests use is dead
// unless its own file uses it too. What is there for platforms outside this checkout (the definition language) says @public in its TSDoc.
const shipped = process.argv.includes('--production')
const tests = 'test/**/*.test.ts'
const project = ['**/*.ts', '!test/**!']

export default {
  includeEntryExports: true, // every file of a package is an entry by its `exports`
  // A type that a signature names may be exported though nobody imports it by name.
  ignoreExportsUsedInFile: shipped || { type: true, interface: true },
  ignoreWorkspaces: shipped ? ['test', 'packages/testkit'] : [],
  ignoreDependencies: [
    'node', // the Node that the project runs on
    'dependency-cruiser', // started by scripts/check.ts
    '@types/ws', // the types of @fastify/websocket are made of these
  ],
  workspaces: {
    '.': { entry: ['scripts/*.{ts,mjs}!'], project: ['scripts/*.{ts,mjs}!', '*.{js,cjs,ts}!'] },
    'apps/*': { entry: ['src/main.ts!', tests], project },
    'packages/*': { entry: [tests], project },
    'packages/service': { entry: [tests, 'test/scripted-service.ts'], project },
    'packages/faults': { entry: ['src/main.ts!', tests], project },
    'packages/warehouse-double': { entry: ['src/main.ts!', tests], project },
    'packages/flink': { entry: [tests, 'test/differential/main.ts'], project },
    'packages/drills': { entry: ['src/main.ts!', 'src/soak-main.ts!', tests], project },
    'packages/testkit': { vitest: { entry: ['src/start-stack.ts'] } },
    'examples/*': { entry: ['src/main.ts!', 'src/platform.ts!', tests], project },
    ops: { entry: ['src/generate.ts!', tests], project },
    bench: { entry: ['src/main.ts!', 'src/*/*.ts!', tests], project },
    test: { entry: ['**/*.test.ts', 'pipelines/with-*.ts'] },
  },
}
