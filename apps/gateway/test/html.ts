/** HTML as a browser reads it. */
import { type DefaultTreeAdapterMap, defaultTreeAdapter, parse } from 'parse5'

type Node = DefaultTreeAdapterMap['node']
export type Element = DefaultTreeAdapterMap['element']

function isElement(node: Node): node is Element {
  return defaultTreeAdapter.isElementNode(node)
}

export function parseHtml(text: string): Element {
  const root = parse(`<!doctype html>${text}`).childNodes.find(isElement)
  if (!root) throw new Error('no HTML')
  return root
}

/** The elements within one, in their order; those with a name. */
export function elementsOf(node: Element, name?: string): Element[] {
  const within = node.childNodes.filter(isElement)
  const all = within.flatMap((child) => [child, ...elementsOf(child)])
  return name === undefined ? all : all.filter(({ tagName }) => tagName === name)
}

/** What a person reads, with single spaces. */
export function textOf(node: Element | undefined): string {
  return node ? rawText(node).replaceAll(/\s+/g, ' ').trim() : ''
}

/** The text as it is. */
export function rawText(node: Node): string {
  if (defaultTreeAdapter.isTextNode(node)) return node.value
  return 'childNodes' in node ? node.childNodes.map(rawText).join('') : ''
}

export function byId(page: Element, id: string): Element {
  const found = elementsOf(page).find((element) => attributeOf(element, 'id') === id)
  if (!found) throw new Error(`there is no #${id}`)
  return found
}

export function attributeOf({ attrs }: Element, name: string): string | undefined {
  return attrs.find((attribute) => attribute.name === name)?.value
}

/** From the inside out. */
export function ancestorsOf({ parentNode }: Element): Element[] {
  return parentNode && isElement(parentNode) ? [parentNode, ...ancestorsOf(parentNode)] : []
}
