/** Bodies in JSON that break parsers, or what comes after them. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Attack, posted } from './case.ts'

const structured = 'application/cloudevents+json'
const batch = 'application/cloudevents-batch+json'
const type = 'order.placed'

const event = (data: string, more = '') =>
  `{"specversion":"1.0","source":"/attack","type":"${type}"${more},"data":${data}}`
const good = '{"customer":"ada","amount":1,"at":"2030-06-01T00:00:00Z"}'
const deep = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels)

const members = (count: number, name: (index: number) => string) =>
  `{${Array.from({ length: count }, (_, index) => `"${name(index)}":1`).join(',')}}`

const refused = [400, 422]

const texts: readonly (readonly [string, string | Uint8Array, readonly number[]])[] = [
  ['nothing', '', [400]],
  ['a space', ' ', [400]],
  ['half an object', '{"specversion":"1.0"', [400]],
  ['half a string', '{"a":"', [400]],
  ['half an escape', '{"a":"\\u12', [400]],
  ['two values', '{} {}', [400]],
  ['a comma too many', '{"a":1,}', [400]],
  ['a comment', '{/* */}', [400]],
  ['single quotes', "{'a':1}", [400]],
  ['NaN', event('NaN'), [400]],
  ['Infinity', event('-Infinity'), [400]],
  ['hexadecimal', event('0x10'), [400]],
  ['a leading zero', event('01'), [400]],
  ['a raw newline in a string', event('"a\nb"'), [400]],
  ['a raw NUL', event('"\0"'), [400]],
  ['NULs alone', '\0'.repeat(10_000), [400]],
  ['a byte order mark', `\uFEFF${event(good)}`, [201, 400]],
  ['UTF-16', Buffer.from(event(good), 'utf16le'), [400]],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), [400]],
  ['an overlong encoding', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]), [400]],
  [
    'an encoded surrogate',
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    [400],
  ],
  ['UTF-8 that is cut off', Buffer.from([0x22, 0xe2, 0x82]), [400]],
  ['an event that is a number', '7', refused],
  ['an event that is a text', '"event"', refused],
  ['an event that is null', 'null', refused],
  ['an event that is a list', `[${event(good)}]`, refused],
  ['60 levels too deep for anybody', event(deep(200)), refused],
  ['50 000 lists', event(deep(50_000)), refused],
  ['50 000 lists alone', deep(50_000), refused],
  ['100 000 objects', event(deep(100_000, '{"a":', '}').replace('}', '1}')), refused],
  ['500 000 open lists', '['.repeat(500_000), [400]],
  ['500 000 open objects', '{"a":'.repeat(100_000), [400]],
  ['1e400', event('{"customer":"ada","amount":1e400,"at":"2030-06-01T00:00:00Z"}'), refused],
  ['-1e400', event('{"customer":"ada","amount":-1e400,"at":"2030-06-01T00:00:00Z"}'), refused],
  [
    'an integer beyond 2^53',
    event('{"customer":"ada","amount":9007199254740993,"at":"2030-06-01T00:00:00Z"}'),
    refused,
  ],
  ['a number of 500 000 digits', event('9'.repeat(500_000)), refused],
  ['an exponent of 100 000 digits', event(`1e${'9'.repeat(100_000)}`), refused],
  ['__proto__ as data', event('{"__proto__":{"customer":"ada","amount":1,"at":"2030-06-01T00:00:00Z"}}'), refused],
  ['__proto__ among the data', event(`{"__proto__":{"polluted":1},${good.slice(1)}`), refused],
  [
    'constructor.prototype among the data',
    event(`{"constructor":{"prototype":{"polluted":1}},${good.slice(1)}`),
    refused,
  ],
  ['__proto__ as an attribute', event(good, ',"__proto__":{"admin":true}'), refused],
  ['constructor as an attribute', event(good, ',"constructor":{"prototype":{}}'), refused],
  ['toString as an attribute', event(good, ',"toString":"x"'), refused],
  ['an attribute that is an object', event(good, ',"extra":{"a":1}'), refused],
  ['an attribute in capitals', event(good, ',"Extra":"x"'), refused],
  ['an attribute of 100 000 characters', event(good, `,"extra":"${'x'.repeat(100_000)}"`), refused],
  [
    '10 000 attributes that are none',
    event(good, Array.from({ length: 10_000 }, (_, n) => `,"A${n}":1`).join('')),
    refused,
  ],
  ['60 000 members', event(`{${Array.from({ length: 60_000 }, (_, n) => `"k${n}":1`).join(',')}}`), refused],
  ['95 000 members', event(members(95_000, (n) => n.toString(36))), refused],
  ['70 000 members with escapes', event(members(70_000, (n) => `\\n${n.toString(36)}`)), refused],
  ['60 000 members that are indexes', event(members(60_000, (n) => `${4_294_967_294 - n * 7}`)), refused],
  ['80 000 attributes', event(good, `,${members(80_000, (n) => n.toString(36)).slice(1, -1)}`), refused],
  ['170 000 numbers with exponents', event(`[${Array(170_000).fill('1e300').join()}]`), refused],
  ['50 000 integers beyond 2^53', event(`[${Array(49_000).fill('12345678901234567890').join()}]`), refused],
  ['110 000 texts of U+0000', event(`[${Array(110_000).fill('"\\u0000"').join()}]`), refused],
  ['60 000 members of one name', event(`{${Array.from({ length: 60_000 }, () => '"k":1').join(',')}}`), refused],
  ['100 000 items', event(`[${'0,'.repeat(100_000)}0]`), refused],
  ['a text of a megabyte', event(`{"customer":${JSON.stringify('x'.repeat(1_100_000))}}`), [413]],
  ['an empty customer', event(good.replace('ada', '')), [422]],
  ['a date that is none', event(good.replace('2030-06-01', '2030-02-30')), [422]],
  ['a date of 100 000 digits', event(good.replace('2030', '2'.repeat(100_000))), [422]],
  ['a member that the schema does not know', event(good.replace('{', '{"admin":true,')), [422]],
  ['an unknown type', event(good).replace(type, 'nobody.knows'), [404]],
  ['the type __proto__', event(good).replace(type, '__proto__'), [400, 404, 422]],
  ['the type constructor', event(good).replace(type, 'constructor'), [404]],
  ['a type that is a path', event(good).replace(type, '../../catalog'), [400, 404, 422]],
  ['a type that is a pattern', event(good).replace(type, 'order.*'), [400, 404, 422]],
  ['a type of 10 000 characters', event(good).replace(type, 'o'.repeat(10_000)), [400, 404, 422]],
  ['the type of an internal topic', event(good).replace(type, '__consumer_offsets'), [400, 404, 422]],
  ['a type that is no text', event(good).replace(`"${type}"`, '7'), refused],
  ['an empty type', event(good).replace(type, ''), refused],
  ['an empty source', event(good).replace('/attack', ''), refused],
  ['another specversion', event(good).replace('1.0', '0.3'), refused],
  ['a specversion that is a number', event(good).replace('"1.0"', '1.0'), refused],
  ['a time that is none', event(good, ',"time":"yesterday"'), refused],
  ['an id that is an object', event(good, ',"id":{"$ne":null}'), refused],
  ['an empty id', event(good, ',"id":""'), refused],
  ['data and data_base64', event(good, ',"data_base64":"AAAA"'), refused],
  ['no data', event(good).replace(/"data":.*}}/, '"x":1}'), refused],
]

const batches: readonly (readonly [string, string, readonly number[]])[] = [
  ['an empty batch', '[]', [400]],
  ['a batch that is an object', '{}', [400]],
  ['a batch that is null', 'null', [400]],
  ['a batch of batches', '[[[[]]]]', [422]],
  ['a batch of 1000 nulls', `[${Array(1_000).fill('null').join(',')}]`, [422]],
  ['a batch of 9000 nulls', `[${Array(9_000).fill('null').join(',')}]`, [422]],
  ['a batch of 1 000 000 numbers', `[${'0,'.repeat(1_000_000)}0]`, [413]],
  ['a batch of 10 MiB', `[${'"xxxxxxxxxxxxxxxx",'.repeat(600_000)}0]`, [413]],
  ['a batch cut off', '[{},{}', [400]],
  [
    'a batch of 500 deep events',
    `[${Array(500)
      .fill(event(deep(100)))
      .join(',')}]`,
    [422],
  ],
  [
    'a batch of 7 events of 95 000 members',
    `[${Array(7)
      .fill(event(members(95_000, (n) => n.toString(36))))
      .join(',')}]`,
    [422],
  ],
  ['a batch of hostile prototypes', `[${Array(500).fill('{"__proto__":{"specversion":"1.0"}}').join(',')}]`, [422]],
]

const bulks: readonly (readonly [string, string, readonly number[]])[] = [
  ['10 000 lines that are no events', '{}\n'.repeat(10_000), [422]],
  ['90 000 lines, most of them too many', '{}\n'.repeat(90_000), [422]],
  [
    '5 lines of 95 000 members',
    Array(5)
      .fill(event(members(95_000, (n) => n.toString(36))))
      .join('\n'),
    [422],
  ],
]

const types: readonly string[] = [
  'text/plain',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/jsonp',
  'application/json',
  'application',
  '',
  '*/*',
  'application/cloudevents',
  `a/${'b'.repeat(5_000)}`,
  'application/cloudevents+xml',
  'image/svg+xml',
  'application/json;'.repeat(500),
]

export function bodyAttacks(token: string): readonly Attack[] {
  const bomb = Buffer.alloc(50_000_000)
  const packed: readonly (readonly [string, string, Uint8Array])[] = [
    ['a gzip bomb', 'gzip', gzipSync(bomb)],
    ['a gzip bomb in a gzip', 'gzip, gzip', gzipSync(gzipSync(bomb))],
    ['a brotli bomb', 'br', brotliCompressSync(bomb)],
    ['a zstd bomb', 'zstd', zstdCompressSync(bomb)],
    ['a deflate bomb', 'deflate', deflateSync(bomb)],
    ['gzip that is cut off', 'gzip', gzipSync(event(good)).subarray(0, 30)],
    ['gzip with its checksum wrong', 'gzip', Buffer.concat([gzipSync(event(good)).subarray(0, -8), Buffer.alloc(8)])],
    ['gzip that is none', 'gzip', Buffer.from(event(good))],
    ['brotli that is none', 'br', Buffer.from([0xff, 0xff, 0xff])],
    ['a coding that there is not', 'xz', Buffer.from([0xfd, 0x37, 0x7a])],
    ['100 codings', Array(100).fill('gzip').join(','), Buffer.from('a')],
  ]
  return [
    ...texts.map(([name, body, answers]) => ({
      name: `body: ${name}`,
      bytes: posted(token, structured, body),
      answers,
    })),
    ...batches.map(([name, body, answers]) => ({ name: `body: ${name}`, bytes: posted(token, batch, body), answers })),
    ...bulks.map(([name, body, answers]) => ({
      name: `bulk: ${name}`,
      bytes: posted(token, 'application/x-ndjson', body),
      answers,
    })),
    ...types.map((contentType, n) => ({
      name: `media type ${n}: ${contentType.slice(0, 40)}`,
      bytes: posted(token, contentType, '{}'),
      answers: [400, 415],
    })),
    ...packed.map(([name, coding, body]) => ({
      name: `body: ${name}`,
      bytes: posted(token, structured, body, [`content-encoding: ${coding}`]),
      answers: [400, 413, 415],
    })),
  ]
}
