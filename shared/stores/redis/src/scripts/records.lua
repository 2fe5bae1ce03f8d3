-- KEYS: all records by their time. ARGV: the newest and the oldest time wanted; where to begin among them; how many; what
-- the keys of records begin with. Answers, newest first, each entry's id, time and record, if that is still there.
local found = {}
local entries =
  redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES', 'LIMIT', ARGV[3], ARGV[4])
for i = 1, #entries, 2 do
  found[#found + 1] = entries[i]
  found[#found + 1] = string.format('%.0f', tonumber(entries[i + 1]))
  found[#found + 1] = redis.call('GET', ARGV[5] .. entries[i]) or ''
end
return found
