// Shows /docs/reference, in which the gateway has escaped whatever it was given. No script that it could hold would run: the page's
// policy allows this one alone.
const place = document.getElementById('documents')
const trouble = document.getElementById('trouble')
const token = document.getElementById('token')

document.getElementById('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  telling(async () => {
    const text = await (await fetched('/docs/reference')).text()
    place.replaceChildren(...new DOMParser().parseFromString(text, 'text/html').body.childNodes)
    for (const origin of place.querySelectorAll('[data-origin]')) origin.textContent = location.origin
    if (navigator.clipboard) place.querySelectorAll('[data-copy]').forEach(addCopyButton)
    showTarget()
  })
})

// The documents need the token too, which a link cannot bring.
place.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-download]')
  if (!link) return
  event.preventDefault()
  telling(async () => {
    const made = document.createElement('a')
    made.href = URL.createObjectURL(await (await fetched(link.getAttribute('href'))).blob())
    made.download = link.dataset.download
    made.click()
    setTimeout(() => URL.revokeObjectURL(made.href), 10_000)
  })
})

addEventListener('hashchange', showTarget)

async function telling(work) {
  try {
    trouble.textContent = ''
    await work()
  } catch (error) {
    trouble.textContent = error.message
  }
}

async function fetched(path) {
  const answer = await fetch(path, { headers: { authorization: `Bearer ${token.value.trim()}` } })
  if (!answer.ok) throw new Error((await answer.json()).detail)
  return answer
}

/** A link may lead to what is folded. */
function showTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  for (let folded = target?.closest('details'); folded; folded = folded.parentElement.closest('details'))
    folded.open = true
  target?.scrollIntoView()
}

function addCopyButton(block) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.textContent)
    button.textContent = 'Copied'
    setTimeout(() => (button.textContent = 'Copy'), 2_000)
  })
  block.before(button)
}
