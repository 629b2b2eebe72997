/** The settings in the text of a `config.yaml`. */
export function settingsIn(text: string): Map<string, unknown> {
  const lines = text.trimEnd().split('\n')
  return new Map(
    lines.map((line): [string, unknown] => {
      const [, key = '', value = ''] = /^([\w.-]+): (.+)$/.exec(line) ?? []
      // A JSON scalar is the same scalar in YAML.
      return [key, JSON.parse(value)]
    }),
  )
}
