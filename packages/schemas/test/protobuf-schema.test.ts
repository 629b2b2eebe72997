import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { SchemaSource } from '../src/codec.ts'
import { compileCodec } from '../src/compile-codec.ts'

const syntax = 'syntax = "proto3";'

function refusal(schema: SchemaSource['schema'], references: SchemaSource['references'] = []): string {
  try {
    compileCodec({ format: 'protobuf', schema, references })
    return 'is taken'
  } catch (error) {
    expect(error).toMatchObject({ code: 'registry.refused' })
    return error instanceof Error ? error.message : ''
  }
}

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

test.each([
  ['a schema that is no text', { type: 'object' }, 'text of a .proto file'],
  ['no syntax', 'message M { optional int32 a = 1; }', 'must start with syntax'],
  ['proto2', 'syntax = "proto2"; message M { optional int32 a = 1; }', 'must start with syntax'],
  ['an edition', 'edition = "2023"; message M { int32 a = 1; }', 'must start with syntax'],
  ['a second syntax', `${syntax} syntax = "proto2"; message M {}`, 'says its syntax once more (line 1)'],
  ['no message', `${syntax} enum E { A = 0; }`, 'has no message'],
  ['a word that is none', `${syntax}\nmessage M {\n  int32 a == 1;\n}`, '(line 3)'],
  ['an end that is missing', `${syntax} message M { int32 a = 1;`, '(line 1)'],
  ['a type that does not exist', `${syntax} message M { Missing a = 1; }`, 'Missing'],
  ['a required field', `${syntax} message M { required int32 a = 1; }`, 'required'],
  ['a group', `${syntax} message M { repeated group G = 1 { repeated int32 a = 1; } }`, 'group'],
  ['messages as groups', `${syntax} option features.message_encoding = DELIMITED; message M { M a = 1; }`, 'group'],
  ['extensions', `${syntax} message M { extensions 100 to 200; }`, 'extensions'],
  ['extend', `${syntax} message M {} extend M { int32 a = 1; }`, 'extends'],
  ['extend within a message', `${syntax} message M { extend M { int32 a = 1; } }`, 'extends'],
  ['a number twice', `${syntax} message M { int32 a = 1; int32 b = 1; }`, 'duplicate id 1'],
  ['a name twice', `${syntax} message M { int32 a = 1; int32 a = 2; }`, "duplicate name 'a'"],
  ['a message twice', `${syntax} message M {} message M {}`, "duplicate name 'M'"],
  ['two names that are one in JSON', `${syntax} message M { int32 a_b = 1; int32 aB = 2; }`, '"aB": a_b and aB'],
  ['a json_name of another', `${syntax} message M { int32 a = 1; int32 b = 2 [json_name = "a"]; }`, '"a": a and b'],
  [
    'a json_name that is a prototype',
    `${syntax} message M { int32 a = 1 [json_name = "\\x5f_proto__"]; }`,
    'json_name',
  ],
  ['a json_name that is none', `${syntax} message M { int32 a = 1 [json_name = 5]; }`, 'json_name'],
  ['the number 0', `${syntax} message M { int32 a = 0; }`, 'number 0'],
  ['a number too large', `${syntax} message M { int32 a = 536870912; }`, 'number 536870912'],
  ['a number of Protobuf itself', `${syntax} message M { int32 a = 19000; }`, '19000 to 19999'],
  ['a number that is reserved', `${syntax} message M { reserved 2 to 4; int32 a = 3; }`, 'id 3 is reserved'],
  ['a name that is reserved', `${syntax} message M { reserved "a"; int32 a = 3; }`, "'a' is reserved"],
  ['an enum that starts elsewhere', `${syntax} enum E { A = 1; } message M { E a = 1; }`, 'first value that is 0'],
  ['an enum beyond 32 bits', `${syntax} enum E { A = 0; B = 2147483648; } message M { E a = 1; }`, '32 bits'],
  ['an enum that has a number twice', `${syntax} enum E { A = 0; B = 0; } message M { E a = 1; }`, 'duplicate id 0'],
  ['a map in a map', `${syntax} message M { map<string, map<string, string>> a = 1; }`, 'line 1'],
  ['a map by floats', `${syntax} message M { map<float, string> a = 1; }`, 'float'],
  ['__proto__', `${syntax} message M { int32 __proto__ = 1; }`, '__proto__'],
  ['code as a name', `${syntax} message M { int32 a(){}; = 1; }`, 'line 1'],
  ["Google's package", `${syntax} package google.protobuf; message Timestamp { int32 a = 1; }`, 'google.protobuf'],
  ['Any', `${syntax} import "google/protobuf/any.proto"; message M { google.protobuf.Any a = 1; }`, 'any.proto'],
  ['descriptors', `${syntax} import "google/protobuf/descriptor.proto"; message M {}`, 'descriptor.proto'],
  ['an import from nowhere', `${syntax} import "other.proto"; message M {}`, '"other.proto", which is not among'],
  ['an import of a file', `${syntax} import "/etc/passwd"; message M {}`, 'not among its references'],
  [
    'an import that is missing',
    `${syntax} message M { google.protobuf.Timestamp a = 1; }`,
    'google.protobuf.Timestamp',
  ],
])('%s is refused with a sentence', (_what, schema, sentence) => {
  expect(refusal(schema)).toContain(sentence)
})

test.each([
  ['length', `${syntax} message M {} //${' '.repeat(256 * 1_024)}`],
  ['fields', `${syntax} message M { ${lines(2_001, (index) => `int32 f${index} = ${index + 1};`)} }`],
  ['messages', `${syntax} ${lines(2_001, (index) => `message M${index} {}`)}`],
  ['reserved numbers', `${syntax} message M { reserved ${lines(4_001, (index) => `${index + 1},`)} 5000; }`],
  ['reserved statements', `${syntax} message M { ${lines(4_001, (index) => `reserved ${index + 1};`)} }`],
  ['words', `${syntax} ${';'.repeat(50_000)} message M {}`],
  ['nesting', `${syntax} ${'message M { '.repeat(33)}${'}'.repeat(33)}`],
  ['nesting without an end', `${syntax} ${'message M { '.repeat(20_000)}`],
  ['nesting of options', `${syntax} option (a) = ${'{ a: '.repeat(20_000)}`],
  ['names', `${syntax} package ${'a.'.repeat(60_000)}b; message M {}`],
  ['names of types', `${syntax} message M { ${'a. '.repeat(60_000)} b = 1; }`],
  ['imports', `${syntax} ${lines(70, (index) => `import "${index}.proto";`)} message M {}`],
])('the bound of %s is kept', (_what, schema) => {
  const references = Array.from({ length: 70 }, (_, index) => ({ name: `${index}.proto`, schema: syntax }))
  expect(refusal(schema, references)).not.toBe('is taken')
})

test('imports count for the bound of length', () => {
  const long = `${syntax} // ${' '.repeat(150_000)}`
  const references = ['a.proto', 'b.proto'].map((name) => ({ name, schema: long }))
  const two = `${syntax} import "a.proto"; import public "b.proto"; message M {}`
  expect(refusal(two, references)).toContain('longer than')
  expect(refusal(`${syntax} import "a.proto"; message M {}`, references)).toBe('is taken')
})

test('files import each other through the names of their references, in circles too', () => {
  const references = [
    { name: 'a.proto', schema: `${syntax} package a; import "b.proto"; message A { b.B b = 1; }` },
    { name: 'b.proto', schema: `${syntax} package b; import "a.proto"; message B { a.A a = 1; }` },
    { name: 'unused.proto', schema: 'not a schema' },
  ]
  const schema = `${syntax} package a; import "a.proto"; message M { A a = 1; } message N { int32 n = 1; }`
  const codec = compileCodec({ format: 'protobuf', schema, references })
  const data = { a: { b: { a: {} } } }
  expect(codec.fromJson(data)).toMatchObject({ ok: true, data })
  // The messages of other files have no indexes, though they are in the same package.
  expect(codec.fromBytes(Buffer.alloc(0), [1])).toMatchObject({ ok: true, data: { n: 0 } })
  expect(codec.fromBytes(Buffer.alloc(0), [2])).toMatchObject({ ok: false })
})

test('an import that is not proto3 is refused by its name', () => {
  const references = [{ name: 'a.proto', schema: 'syntax = "proto2"; message A { required int32 a = 1; }' }]
  expect(refusal(`${syntax} import "a.proto"; message M { A a = 1; }`, references)).toContain('"a.proto"')
})

test('services, comments and options are left aside', () => {
  const schema = `/* first */ ${syntax} // second
    option java_package = "x"; option (mine).constructor.prototype.polluted = true;
    option features.constructor.prototype.polluted = true;
    message M { option deprecated = true; int32 syntax = 1 [deprecated = true, (a).b = { c: "d" }]; reserved 5 to max; }
    service S { rpc Get(M) returns (stream M); }`
  const codec = compileCodec({ format: 'protobuf', schema, references: [] })
  expect(codec.fromJson({ syntax: 1 })).toMatchObject({ ok: true, value: Buffer.from([8, 1]) })
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})

test('no code is generated from a schema, whatever its names', () => {
  const program = `
    import { compileCodec } from ${JSON.stringify(new URL('../src/compile-codec.ts', import.meta.url).href)}
    const schema = 'syntax = "proto3"; message M { map<string, M> a = 1; repeated int64 b = 2; string c = 3; }'
    const codec = compileCodec({ format: 'protobuf', schema, references: [] })
    const coded = codec.fromJson({ a: { b: { b: [1] } }, c: 'c' })
    process.stdout.write(JSON.stringify(coded.data))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module']
  const output = execFileSync(process.execPath, [...flags, '--eval', program], { encoding: 'utf8' })
  expect(JSON.parse(output)).toEqual({ a: { b: { a: {}, b: ['1'], c: '' } }, b: [], c: 'c' })
})
