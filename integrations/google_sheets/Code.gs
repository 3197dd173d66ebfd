/**
 * Tells Watchbill that this spreadsheet has changed, so that it is read within seconds.
 *
 * No cell leaves the spreadsheet through this script: it says only that something changed, when,
 * and in which range. Watchbill then reads the sheet through its own service account.
 *
 * Set up: Extensions > Apps Script, paste this file over Code.gs, save, reload the spreadsheet,
 * then Watchbill > Connect. Do it as an account that stays: the triggers run as whoever connects,
 * and stop when that account is closed.
 */

var ADDRESS = 'WATCHBILL_URL';
var SECRET = 'WATCHBILL_SECRET';
var HANDLER = 'announceChange';

/** Adds the menu; runs whenever the spreadsheet is opened. */
function onOpen() {
  SpreadsheetApp.getUi()
    .createMenu('Watchbill')
    .addItem('Connect', 'connect')
    .addItem('Test', 'testConnection')
    .addItem('Disconnect', 'disconnect')
    .addToUi();
}

/** Asks for address and secret, tries them, and only then installs the triggers. */
function connect() {
  var properties = PropertiesService.getScriptProperties();
  var url = ask_('The address of Watchbill', 'https://watchbill.example (its public_url)');
  if (!url) return;
  var secret = ask_('The secret', 'What roster_secret of config.yaml is set to');
  if (!secret) return;
  url = url.replace(/\/+$/, '');
  if (!/^https:\/\//.test(url) && !/^http:\/\/(127\.0\.0\.1|localhost)(:|\/|$)/.test(url)) {
    say_('The address must begin with https://. Nothing was changed.');
    return;
  }
  var problem = send_(url, secret, 'CONNECT', null);
  if (problem) {
    say_(problem + ' Nothing was changed.');
    return;
  }
  var stored = {};
  stored[ADDRESS] = url;
  stored[SECRET] = secret;
  properties.setProperties(stored);
  removeTriggers_();
  var spreadsheet = SpreadsheetApp.getActive();
  // onEdit sees typing and pasting; onChange sees rows, tabs and formats come and go
  ScriptApp.newTrigger(HANDLER).forSpreadsheet(spreadsheet).onEdit().create();
  ScriptApp.newTrigger(HANDLER).forSpreadsheet(spreadsheet).onChange().create();
  say_('Connected. Changes reach Watchbill within seconds.');
}

/** Removes the triggers and forgets the secret. */
function disconnect() {
  removeTriggers_();
  var properties = PropertiesService.getScriptProperties();
  properties.deleteProperty(ADDRESS);
  properties.deleteProperty(SECRET);
  say_('Disconnected. Watchbill still looks at the sheet by itself, every few seconds.');
}

/** Sends one announcement and says how it went. */
function testConnection() {
  say_(sendStored_('TEST', null) || 'Watchbill has heard it.');
}

/** The handler of both triggers. A failure is thrown, so that Google mails it to the owner. */
function announceChange(event) {
  var kind = (event && event.changeType) || 'EDIT';
  var where = null;
  if (event && event.range) {
    where = event.range.getSheet().getName() + '!' + event.range.getA1Notation();
  }
  var problem = sendStored_(kind, where);
  if (problem) throw new Error(problem);
}

function sendStored_(kind, where) {
  var properties = PropertiesService.getScriptProperties();
  var url = properties.getProperty(ADDRESS);
  var secret = properties.getProperty(SECRET);
  if (!url || !secret) return 'Not connected yet: choose Watchbill > Connect.';
  return send_(url, secret, kind, where);
}

/** Sends one signed announcement; returns what went wrong, '' when nothing did. */
function send_(url, secret, kind, where) {
  var body = ascii_(
    JSON.stringify({
      id: SpreadsheetApp.getActive().getId(),
      at: Date.now(),
      kind: String(kind),
      where: where,
    })
  );
  var signature = Utilities.computeHmacSha256Signature(body, secret, Utilities.Charset.UTF_8);
  var answer;
  try {
    answer = UrlFetchApp.fetch(url + '/hooks/roster', {
      method: 'post',
      contentType: 'application/json',
      payload: body,
      headers: { 'X-Watchbill-Signature': 'sha256=' + hex_(signature) },
      muteHttpExceptions: true,
      followRedirects: false,
    });
  } catch (error) {
    return 'Watchbill cannot be reached at ' + url + ' (' + error.message + ').';
  }
  var status = answer.getResponseCode();
  if (status === 202) return '';
  if (status === 429 || status >= 500) {
    // Watchbill looks by itself soon; a mail to the owner would help nobody
    console.warn('Watchbill answered ' + status + '; it will find the change by itself.');
    return kind === 'CONNECT' || kind === 'TEST' ? 'Watchbill answered ' + status + '.' : '';
  }
  if (status === 401) {
    return 'Watchbill did not accept it: ' + answer.getContentText().slice(0, 200);
  }
  if (status === 404) {
    return 'There is no Watchbill at ' + url + ', or it has no roster_secret.';
  }
  return 'Watchbill answered ' + status + '.';
}

function removeTriggers_() {
  ScriptApp.getProjectTriggers().forEach(function (trigger) {
    if (trigger.getHandlerFunction() === HANDLER) ScriptApp.deleteTrigger(trigger);
  });
}

function ask_(title, text) {
  var ui = SpreadsheetApp.getUi();
  var answer = ui.prompt(title, text, ui.ButtonSet.OK_CANCEL);
  return answer.getSelectedButton() === ui.Button.OK ? answer.getResponseText().trim() : '';
}

function say_(text) {
  SpreadsheetApp.getUi().alert(text);
}

/** Google gives bytes from -128 to 127. */
function hex_(bytes) {
  return bytes
    .map(function (byte) {
      return ((byte & 255) + 256).toString(16).slice(1);
    })
    .join('');
}

/** Escapes what is not ASCII, so that no layer between can encode it in another way. */
function ascii_(json) {
  return json.replace(/[\u007f-\uffff]/g, function (letter) {
    return '\\u' + ('0000' + letter.charCodeAt(0).toString(16)).slice(-4);
  });
}
