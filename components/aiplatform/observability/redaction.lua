-- Removes secrets from a record of Fluent Bit, states its severity where a structured log has one, and cuts texts of a
-- record that the store would refuse.
-- WORDS, EXCEPTIONS and PATTERNS precede this text (redaction.toml).

local MARK = "[redacted]"
local DEPTH = 12

-- Whether the value of a key is a secret by its name.
local function is_secret(key)
  local name = key:lower():gsub("[_.%-]", "")
  for _, word in ipairs(EXCEPTIONS) do
    if name:sub(-#word) == word then
      return false
    end
  end
  for _, word in ipairs(WORDS) do
    if name:sub(-#word) == word then
      return true
    end
  end
  return false
end

-- Flags and nothing are no secrets, and neither are numbers of tokens: `use_token=true`, `max_token: 4096`.
local function is_harmless(key, value)
  local word = value:lower()
  return word == "true" or word == "false" or word == "null" or word == "none"
    or tonumber(value) ~= nil and key:lower():sub(-5) == "token"
    or value:sub(1, #MARK - 1) == MARK:sub(1, -2)
end

-- A key with what separates it from its value. It begins where a word does: from every character of a long word the
-- search would take minutes.
local KEY = "%f[%w_.%-]([%w_.%-]+)\\*[\"']?%s*[:=]%s*"
local VALUE = "^[^%s\"',;&)}%]]+"

-- The end of a text in quotes: a quote that is escaped more often than the first one belongs to the text.
local function closed(text, first, quote, escapes)
  local at = first
  while true do
    local position = text:find(quote, at, true)
    if position == nil then
      return #text
    end
    local before = position
    while before > first and text:byte(before - 1) == 92 do
      before = before - 1
    end
    local run = position - before
    if run <= escapes then
      return before - 1
    elseif escapes == 0 and run % 2 == 0 then
      return position - 1
    end
    at = position + 1
  end
end

-- First and last character of the value at a position, without its quotes, or nil.
local function value_at(text, position)
  local _, last, escapes = text:find("^(\\*)[\"']", position)
  if last ~= nil then
    return last + 1, closed(text, last + 1, text:sub(last, last), #escapes)
  end
  local first, stop = text:find(VALUE, position)
  if first == nil or text:sub(first, stop):find("^[%[{]+$") then
    return nil
  end
  return first, stop
end

-- The text without the values of secret keys: `key=value`, `"key": "value"`, also in JSON that is itself a text
-- (`\"key\": \"value\"`), lists of values, and all of a header with cookies.
local function without_values(text)
  local parts, from, init = {}, 1, 1
  while true do
    local _, last, key = text:find(KEY, init)
    if last == nil then
      break
    end
    init = last + 1
    if is_secret(key) and text:sub(init, init + #MARK - 1) ~= MARK then
      local _, list = text:find("^%[%s*", init)
      local at = list ~= nil and list + 1 or init
      while at ~= nil do
        local first, stop = value_at(text, at)
        if first == nil then
          break
        end
        local value = text:sub(first, stop)
        if key:lower():sub(-6) == "cookie" then
          local _, further = text:find("^;%s*[^%s;=\"',]+=[^%s;\"',]*", stop + 1)
          while further ~= nil do
            stop = further
            _, further = text:find("^;%s*[^%s;=\"',]+=[^%s;\"',]*", stop + 1)
          end
        end
        if value ~= "" and not is_harmless(key, value) then
          parts[#parts + 1] = text:sub(from, first - 1)
          parts[#parts + 1] = MARK
          from = stop + 1
        end
        init = stop + 1
        local _, comma = text:find("^\\*[\"']?%s*,%s*", init)
        at = list ~= nil and comma ~= nil and comma + 1 or nil
      end
    end
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

-- The text without secrets.
local function redacted(text)
  for _, entry in ipairs(PATTERNS) do
    if text:find(entry.pattern) then
      if entry.captures == 0 then
        text = text:gsub(entry.pattern, function(match)
          return #match >= entry.minimum and MARK or match
        end)
      else
        -- A whole match in parentheses shows how long it is.
        text = text:gsub("(" .. entry.pattern .. ")", function(match, first, last)
          return #match >= entry.minimum and first .. MARK .. (last or "") or match
        end)
      end
    end
  end
  return without_values(text)
end

-- Removes the secrets of a table in place; returns whether there were any. secret: the key of the table, or nil, where
-- its name shows that all of its values are secrets.
local function redact(record, depth, secret)
  local changed = false
  for key, value in pairs(record) do
    local kind = type(value)
    local name = type(key) == "string" and is_secret(key) and key or secret
    if kind == "string" or kind == "number" and name ~= nil then
      local text = value
      if name ~= nil and not is_harmless(name, tostring(value)) then
        text = MARK
      elseif kind == "string" then
        text = redacted(value)
      end
      if text ~= value then
        record[key] = text
        changed = true
      end
    elseif kind == "table" then
      if depth >= DEPTH then
        record[key] = MARK
        changed = true
      elseif redact(value, depth + 1, name) then
        changed = true
      end
    end
  end
  return changed
end

-- The severity of a structured log, by the usual names of its key.
local function severity(fields)
  if type(fields) ~= "table" then
    return nil
  end
  for _, key in ipairs({ "severity", "level", "levelname", "lvl" }) do
    if type(fields[key]) == "string" and #fields[key] <= 10 then
      return fields[key]:upper()
    end
  end
  return nil
end

-- Bytes of a record. Cloud Logging refuses an entry above 256 KiB; CloudWatch Logs takes 1 MB, and Fluent Bit cuts off
-- what is above it, after escapes of up to four bytes for a quote, so that the metadata of the Pod is lost.
local LIMIT = 240000
local LONGEST = { 200000, 100000, 50000, 10000, 1000, 100 }

local function size(value)
  local kind = type(value)
  if kind == "string" then
    return #value
  elseif kind ~= "table" then
    return 10
  end
  local sum = 2
  for key, entry in pairs(value) do
    sum = sum + size(key) + size(entry) + 4
  end
  return sum
end

-- Cuts the texts of a table that are longer than `most` bytes, between characters of UTF-8.
local function shorten(record, most)
  for key, value in pairs(record) do
    if type(value) == "table" then
      shorten(value, most)
    elseif type(value) == "string" and #value > most then
      local last = most
      while last > most - 4 and (value:byte(last + 1) or 0) >= 128 and value:byte(last + 1) < 192 do
        last = last - 1
      end
      local length = value:match("%[cut, (%d+) bytes%]$") or #value
      record[key] = value:sub(1, last) .. "[cut, " .. length .. " bytes]"
    end
  end
end

-- Cuts a message that is too long for the store: its longest texts first. Returns whether it was.
local function cut(record)
  local before = size(record)
  if before <= LIMIT then
    return false
  end
  for _, most in ipairs(LONGEST) do
    local message = { log = record["log"], fields = record["fields"] }
    shorten(message, most)
    record["log"] = message.log
    if size(record) <= LIMIT then
      return true
    end
  end
  -- Many short texts.
  record["fields"] = nil
  record["log"] = "[cut, " .. before .. " bytes]"
  if size(record) > LIMIT and type(record["kubernetes"]) == "table" then
    record["kubernetes"]["labels"] = nil
  end
  return true
end

function redact_record(tag, timestamp, record)
  local level = severity(record["fields"])
  local changed = redact(record, 1)
  if level ~= nil then
    record["severity"] = level
    changed = true
  end
  if cut(record) then
    changed = true
  end
  if changed then
    -- 2: the record has changed, its time has not.
    return 2, timestamp, record
  end
  return 0, timestamp, record
end
