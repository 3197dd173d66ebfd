// Runs Code.gs with stand-ins for Google's services; tells as JSON what it did.
//
// node apps_script.js <Code.gs> <case as JSON: call, event, store, prompts, status, text, fails>
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const vm = require('vm');

const asked = JSON.parse(process.argv[3]);
const did = { requests: [], said: [], triggers: [], deleted: 0, menu: [], warned: [], thrown: '' };
const store = asked.store || {};
const prompts = asked.prompts || [];
const BUTTON = { OK: 'ok', CANCEL: 'cancel' };

const menu = {
  addItem: (title, name) => (did.menu.push([title, name]), menu),
  addToUi: () => {},
};
const ui = {
  Button: BUTTON,
  ButtonSet: { OK_CANCEL: 'ok-cancel' },
  createMenu: () => menu,
  alert: (text) => did.said.push(text),
  prompt: () => {
    const text = prompts.shift();
    return {
      getSelectedButton: () => (text === undefined ? BUTTON.CANCEL : BUTTON.OK),
      getResponseText: () => text,
    };
  },
};
const spreadsheet = { getId: () => 'abc' };
const trigger = (handler) => ({
  forSpreadsheet: () => trigger(handler),
  onEdit: () => ({ create: () => did.triggers.push(['edit', handler]) }),
  onChange: () => ({ create: () => did.triggers.push(['change', handler]) }),
});
const context = {
  console: { warn: (text) => did.warned.push(text) },
  SpreadsheetApp: { getUi: () => ui, getActive: () => spreadsheet },
  PropertiesService: {
    getScriptProperties: () => ({
      getProperty: (name) => (name in store ? store[name] : null),
      setProperties: (values) => Object.assign(store, values),
      deleteProperty: (name) => delete store[name],
    }),
  },
  ScriptApp: {
    newTrigger: trigger,
    getProjectTriggers: () =>
      ['announceChange', 'somebodyElses'].map((name) => ({ getHandlerFunction: () => name })),
    deleteTrigger: () => (did.deleted += 1),
  },
  Utilities: {
    Charset: { UTF_8: 'utf8' },
    computeHmacSha256Signature: (body, key, charset) => {
      const digest = crypto.createHmac('sha256', Buffer.from(key, charset));
      return [...digest.update(Buffer.from(body, charset)).digest()].map((b) => (b << 24) >> 24);
    },
  },
  UrlFetchApp: {
    fetch: (url, options) => {
      if (asked.fails) throw new Error(asked.fails);
      did.requests.push({ url, ...options });
      return {
        getResponseCode: () => asked.status || 202,
        getContentText: () => asked.text || '',
      };
    },
  },
};
vm.createContext(context);
vm.runInContext(fs.readFileSync(process.argv[2], 'utf8'), context);
const event = asked.event && {
  changeType: asked.event.changeType,
  range: asked.event.range && {
    getSheet: () => ({ getName: () => asked.event.range[0] }),
    getA1Notation: () => asked.event.range[1],
  },
};
try {
  context[asked.call](event || undefined);
} catch (error) {
  did.thrown = error.message;
}
process.stdout.write(JSON.stringify({ ...did, store }));
