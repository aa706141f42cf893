-- Removes secrets from a record of Fluent Bit, and states its severity where a structured log has one.
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

local ASSIGNMENT = "([%w_.%-]+)([\"']?%s*[:=]%s*)([^%s\"',;&)}%]]+)"

local assignment
function assignment(key, separator, value)
  if is_secret(key) then
    return not is_harmless(key, value) and key .. separator .. MARK or nil
  end
  -- The value of this key may be another key: `main: password=x`.
  return key .. separator .. value:gsub(ASSIGNMENT, assignment)
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
  text = text:gsub("([%w_.%-]+)([\"']?%s*[:=]%s*\")([^\"]+)", assignment)
  text = text:gsub("([%w_.%-]+)([\"']?%s*[:=]%s*')([^']+)", assignment)
  return (text:gsub(ASSIGNMENT, assignment))
end

-- Removes the secrets of a table in place; returns whether there were any.
local function redact(record, depth)
  local changed = false
  for key, value in pairs(record) do
    local kind = type(value)
    if kind == "string" then
      local text
      if type(key) == "string" and is_secret(key) and not is_harmless(key, value) then
        text = MARK
      else
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
      elseif redact(value, depth + 1) then
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

function redact_record(tag, timestamp, record)
  local level = severity(record["fields"])
  local changed = redact(record, 1)
  if level ~= nil then
    record["severity"] = level
    changed = true
  end
  if changed then
    -- 2: the record has changed, its time has not.
    return 2, timestamp, record
  end
  return 0, timestamp, record
end
