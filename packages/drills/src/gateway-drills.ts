import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'

const gateway = 'gateway'

export const gatewayDrills: readonly Drill[] = [
  {
    name: 'gateway-kill',
    says: 'kill -9 of a gateway while it has requests',
    recoveryBound: 'one attempt more: the next goes to another gateway',
    fault: async (stage) => {
      const back = await stage.end(gateway, 'SIGKILL')
      stage.over()
      await back()
      return undefined
    },
  },
  {
    name: 'gateway-stop',
    says: 'SIGTERM for a gateway while it has requests: none fails',
    recoveryBound: 'nothing: what it has is answered, and what it takes no more goes to another gateway',
    fault: async (stage) => {
      const back = await stage.end(gateway, 'SIGTERM')
      stage.over()
      await back()
      return [noRequestFails]
    },
  },
]
