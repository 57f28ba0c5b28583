// Another opinion on the OpenAPI document: node --test openapi.test.mjs, after build.mjs, which builds the program.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'

const wxpay = fileURLToPath(new URL('.vitepress/cache/wxpay', import.meta.url))
const document = JSON.parse(execFileSync(wxpay, ['openapi'], { encoding: 'utf8', maxBuffer: 1 << 28 }))

test('the document of the whole API is valid', async () => {
  const validator = new Validator(), result = await validator.validate(structuredClone(document))
  assert.deepEqual(result.errors ?? [], [])
  assert.equal(validator.version, '3.1')
  assert.ok(Object.keys(document.webhooks).length > 100)
})

test('a wrong one is not', async () => {
  const wrong = structuredClone(document)
  wrong.paths['/v3/pay/transactions/native'].post.responses = []
  assert.equal((await new Validator().validate(wrong)).valid, false)
})
