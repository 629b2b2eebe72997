/** What each route does, for the documents: by method and path as the router has them. A test holds both lists equal. */
import type { Operations } from './operation.ts'
import { catalogOperations } from './operations/catalog.ts'
import { deadLetterOperations } from './operations/dead-letters.ts'
import { publishOperations } from './operations/publish.ts'
import { readOperations } from './operations/read.ts'
import { serviceOperations } from './operations/service.ts'

export const operations: Operations = {
  ...publishOperations,
  ...readOperations,
  ...deadLetterOperations,
  ...catalogOperations,
  ...serviceOperations,
}
