-- KEYS: the meters. ARGV: now; how long a meter is kept after it is full; then for each meter how far the cost moves it,
-- and how far ahead it may be. All in microseconds. Answers whether all were moved, and where each stands then.
local now, kept = tonumber(ARGV[1]), tonumber(ARGV[2])
local states, granted = {}, 1
for i = 1, #KEYS do
  states[i] = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
  if states[i] + tonumber(ARGV[2 * i + 1]) > now + tonumber(ARGV[2 * i + 2]) then granted = 0 end
end
local answer = { granted }
for i = 1, #KEYS do
  if granted == 1 then
    states[i] = states[i] + tonumber(ARGV[2 * i + 1])
    local lasts = math.ceil((states[i] - now + kept) / 1000)
    redis.call('SET', KEYS[i], string.format('%.0f', states[i]), 'PX', string.format('%.0f', lasts))
  end
  answer[i + 1] = string.format('%.0f', states[i])
end
return answer
