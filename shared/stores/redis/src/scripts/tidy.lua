-- KEYS: all records by their time. ARGV: now; where to begin; how many to look at; what the keys of records begin with.
-- Forgets those that have ended. Answers how many it looked at, and how many of them it left.
local ids = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[2] + ARGV[3] - 1)
local left = #ids
for _, id in ipairs(ids) do
  local record = redis.call('GET', ARGV[4] .. id)
  local ends = record and string.match(record, '^%d*')
  if not record or (ends ~= '' and tonumber(ends) <= tonumber(ARGV[1])) then
    redis.call('DEL', ARGV[4] .. id)
    redis.call('ZREM', KEYS[1], id)
    left = left - 1
  end
end
return { #ids, left }
