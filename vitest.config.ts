import { defineConfig } from 'vitest/config'

const exclude = ['**/node_modules/**', '**/target/**']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/test/**/*.test.ts'],
          exclude: [...exclude, '**/*.{integration,system}.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/test/**/*.integration.test.ts'],
          exclude,
          globalSetup: ['packages/testkit/src/start-stack.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          // One stack and two cores: files take turns.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'system',
          include: ['**/test/**/*.system.test.ts'],
          exclude,
          fileParallelism: false,
        },
      },
    ],
  },
})
